import { realpathSync } from "node:fs";
import type { Plan, PlanWarning } from "../model/plan.ts";
import { EvaluationExit, Thread, toJsString } from "../starlark/index.ts";
import { assemble } from "./assemble/assemble.ts";
import { predeclaredValues } from "./builtins/index.ts";
import { dockerignoreFile } from "./context-filters.ts";
import { Evaluation } from "./evaluation.ts";
import { toTiltfileError } from "./evaluation-failure.ts";
import { formatDuration } from "./go/duration.ts";
import { isNotExist, osReason } from "./go/os-error.ts";
import { join } from "./go/path.ts";
import { FileLoader, loadingBuiltins } from "./loading.ts";
import type { EvaluateOptions, SyncHost } from "./options.ts";
import { isDirectory } from "./read-text.ts";
import type { Recorded } from "./recorded.ts";
import { TiltfileError } from "./tiltfile-error.ts";

/**
 * Runs a Tiltfile and makes the plan of what it asks for. Blocks the thread that it is called in; evaluateInWorker()
 * does not.
 * @throws TiltfileError with Tilt's message, for anything that is wrong with the Tiltfile
 */
export function evaluate(options: EvaluateOptions, sync: SyncHost): Plan {
  const startedAt = performance.now();
  const evaluation = new Evaluation(options, sync, resolveTiltfile(options.tiltfile));
  evaluation.log(`Loading Tiltfile at: ${evaluation.tiltfile}`);
  const loader = run(evaluation);
  const recorded = evaluation.finish();
  const known = recorded.warnings.length;
  let plan: Plan;
  try {
    plan = assemble(recorded);
  } catch (error) {
    logWarnings(evaluation, recorded.warnings.slice(known));
    throw failed(evaluation, error, loader);
  }
  logWarnings(evaluation, plan.warnings.slice(known));
  evaluation.log(`Successfully loaded Tiltfile (${formatDuration(performance.now() - startedAt)})`);
  return { ...plan, environment: withDockerignores(evaluation, plan, recorded) };
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

/** Executes the files; what they ask for is recorded in the evaluation. */
function run(evaluation: Evaluation): FileLoader {
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
    if (!(error instanceof EvaluationExit)) throw failed(evaluation, error, loader);
  } finally {
    evaluation.executing = false;
  }
  return loader;
}

function failed(evaluation: Evaluation, error: unknown, loader: FileLoader): Error {
  const tiltfileError = toTiltfileError(error, loader.sources);
  if (tiltfileError instanceof TiltfileError) {
    tiltfileError.environment ??= evaluation.environment();
  }
  return tiltfileError;
}

function logWarnings(evaluation: Evaluation, warnings: readonly PlanWarning[]): void {
  for (const { message } of warnings) evaluation.log(message, "warn");
}

/** The .dockerignore files count as read for the images that are built, as in Tilt. */
function withDockerignores(
  evaluation: Evaluation,
  plan: Plan,
  { customDeploys }: Recorded,
): Plan["environment"] {
  for (const image of plan.images) {
    if (image.usedBy.length === 0) continue;
    const directories = image.type === "docker" ? [image.context] : image.deps;
    const dockerfile = image.type === "docker" ? image.dockerfile : undefined;
    recordDockerignores(evaluation, directories, dockerfile);
  }
  for (const { liveUpdate, deps } of customDeploys) {
    if (liveUpdate.length > 0) recordDockerignores(evaluation, deps, undefined);
  }
  return { ...plan.environment, files: evaluation.environment().files };
}

function recordDockerignores(
  evaluation: Evaluation,
  directories: readonly string[],
  dockerfile: string | undefined,
): void {
  for (const directory of directories) {
    if (isDirectory(directory)) {
      // Tilt joins, which cleans.
      evaluation.recordFile(join(dockerignoreFile(directory, dockerfile)));
    }
  }
}
