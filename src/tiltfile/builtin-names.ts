import { builtinTable, constants } from "./builtins/index.ts";
import { Evaluation } from "./evaluation.ts";
import { loadingBuiltins } from "./loading.ts";

/** The full names of all that a Tiltfile may use without loading it, sorted: functions, then values. */
export function builtinNames(): string[] {
  const evaluation = new Evaluation(
    {
      tiltfile: "/Tiltfile",
      args: [],
      subcommand: "ci",
      env: {},
      kubeContext: { name: "", namespace: "", allowed: true },
      extensions: { cacheDir: "/", offline: true },
      allowLocalExec: false,
    },
    {
      exec: () => {
        throw new Error("nothing is run");
      },
      log: () => {},
    },
    "/Tiltfile",
  );
  const loading = loadingBuiltins(() => new Map());
  const functions = Object.keys({ ...builtinTable(evaluation), ...loading });
  return [...functions, ...Object.keys(constants(evaluation))].sort();
}
