import { realpathSync } from "node:fs";
import { EvaluationExit, Thread, toJsString } from "../starlark/index.ts";
import { predeclaredValues } from "./builtins/index.ts";
import { Evaluation } from "./evaluation.ts";
import { toTiltfileError } from "./evaluation-failure.ts";
import { isNotExist, osReason } from "./go/os-error.ts";
import { goQuote } from "./go/quote.ts";
import { FileLoader, loadingBuiltins } from "./loading.ts";
import type { EvaluateOptions, SyncHost } from "./options.ts";
import { TiltfileError } from "./tiltfile-error.ts";

/** A Tiltfile that has run. */
export interface Execution {
  readonly evaluation: Evaluation;
  /** Texts of the files that ran, by path. */
  readonly sources: ReadonlyMap<string, Uint8Array>;
}

/**
 * Executes a Tiltfile and what it loads; what they ask for is recorded, nothing is assembled.
 * @throws TiltfileError
 */
export function executeTiltfile(options: EvaluateOptions, sync: SyncHost): Execution {
  const evaluation = new Evaluation(options, sync, resolveTiltfile(options.tiltfile));
  evaluation.log(`Loading Tiltfile at: ${evaluation.tiltfile}`);
  const loading = loadingBuiltins((thread, path) => loader.load(thread, path));
  const predeclared = predeclaredValues(evaluation, loading);
  const loader = new FileLoader(evaluation, () => predeclared);
  const thread = new Thread({
    name: "Tiltfile",
    print: (message) => evaluation.log(toJsString(message)),
    load: (caller, path) => loader.load(caller, path),
    ...(evaluation.deadline === undefined ? {} : { deadline: evaluation.deadline }),
  });
  try {
    loader.load(thread, evaluation.tiltfile);
  } catch (error) {
    // exit(): what was recorded so far counts.
    if (!(error instanceof EvaluationExit)) throw placed(error, evaluation, loader.sources);
  } finally {
    evaluation.executing = false;
  }
  warnOfUnloadedExtensions(evaluation);
  return { evaluation, sources: loader.sources };
}

/** Tilt runs such extensions beside the main Tiltfile; most add buttons to its user interface. */
function warnOfUnloadedExtensions(evaluation: Evaluation): void {
  for (const name of evaluation.apiObjects.extension.keys()) {
    if (evaluation.loadedExtensions.has(name)) continue;
    evaluation.warn(
      `extension ${goQuote(name)} is registered but not loaded: tilt-ci does not run it\n` +
        `If its resources are part of the verdict: include('ext://${name}')`,
    );
  }
}

/** An error as the user is told it, with what had been read until then. */
export function placed(
  error: unknown,
  evaluation: Evaluation,
  sources: ReadonlyMap<string, Uint8Array>,
): Error {
  const result = toTiltfileError(error, sources, (file) => evaluation.isForeign(file));
  if (result instanceof TiltfileError) result.environment ??= evaluation.environment();
  return result;
}

function resolveTiltfile(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new TiltfileError(
      isNotExist(error)
        ? `No Tiltfile found at paths '${path}'. Check out https://docs.tilt.dev/tutorial.html`
        : `Cannot read the Tiltfile ${path}: ${osReason(error)}`,
      { cause: error },
    );
  }
}
