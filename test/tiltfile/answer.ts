import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Plan } from "../../src/model/plan.ts";
import { evaluate } from "../../src/tiltfile/evaluate.ts";
import type { EvaluateOptions } from "../../src/tiltfile/options.ts";
import { TiltfileError } from "../../src/tiltfile/tiltfile-error.ts";
import { renderEnabled, renderFiles, renderResource, renderWarnings } from "./render.ts";
import { RecordingSyncHost } from "./sync-host.ts";

/** A Tiltfile with its files and arguments. */
export interface Snippet {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** What evaluating it gives; `$D` stands for its folder. */
export interface Answer {
  readonly log: string;
  readonly error?: string;
  readonly resources: readonly string[];
  readonly enabled: string;
  readonly warnings?: string;
  readonly filesRead: string;
}

/** Runs `body` in a new folder that holds the files, and removes it. */
export function withFiles<T>(
  files: Readonly<Record<string, string>>,
  body: (directory: string) => T,
): T {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "tiltfile-")));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Options for a Tiltfile in a folder. */
export function optionsFor(
  directory: string,
  overrides: Partial<EvaluateOptions> = {},
): EvaluateOptions {
  return {
    tiltfile: join(directory, "Tiltfile"),
    args: [],
    subcommand: "up",
    env: { PATH: process.env.PATH ?? "", HOME: directory },
    kubeContext: { name: "kind-kind", namespace: "default", allowed: true },
    extensions: { cacheDir: join(directory, ".cache"), offline: true },
    shimDirectory: join(directory, ".cache/shim"),
    allowLocalExec: true,
    ...overrides,
  };
}

/** Evaluates a snippet and takes down the answer as Tilt's answers were. */
export function answerOf({ files, args = [] }: Snippet): Answer {
  return withFiles(files, (directory) => {
    const host = new RecordingSyncHost();
    const show = (text: string) => text.replaceAll(directory, "$D");
    const log = () => show(host.text).replace(/(Successfully loaded Tiltfile) \(.*\)/, "$1 (TIME)");
    const empty = { resources: [], enabled: "[]" };
    try {
      const plan: Plan = evaluate(optionsFor(directory, { args }), host);
      const warnings = renderWarnings(plan.warnings);
      return {
        log: log(),
        resources: plan.resources.map((resource) => show(renderResource(resource, plan))),
        enabled: renderEnabled(plan),
        ...(warnings === null ? {} : { warnings: show(warnings) }),
        filesRead: renderFiles(plan.environment.files, directory),
      };
    } catch (error) {
      if (!(error instanceof TiltfileError)) throw error;
      const filesRead = renderFiles(error.environment?.files ?? [], directory);
      return { log: log(), error: show(error.message), ...empty, filesRead };
    }
  });
}
