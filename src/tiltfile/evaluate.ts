import { formatDuration } from "../model/duration.ts";
import type { Plan, PlanWarning } from "../model/plan.ts";
import { assemble } from "./assemble/assemble.ts";
import { dockerignoreFile } from "./context-filters.ts";
import type { Evaluation } from "./evaluation.ts";
import { join } from "./go/path.ts";
import type { EvaluateOptions, SyncHost } from "./options.ts";
import { isDirectory } from "./read-text.ts";
import { executeTiltfile, placed } from "./record.ts";
import type { Recorded } from "./recorded.ts";
import { pathWithShim } from "./tilt-shim.ts";

/**
 * Runs a Tiltfile and makes the plan of what it asks for. Blocks the thread that it is called in; evaluateInWorker()
 * does not.
 * @throws TiltfileError with Tilt's message, for anything that is wrong with the Tiltfile
 */
export function evaluate(options: EvaluateOptions, sync: SyncHost): Plan {
  const startedAt = performance.now();
  const { evaluation, sources } = executeTiltfile(options, sync);
  const recorded = evaluation.finish();
  const known = recorded.warnings.length;
  let plan: Plan;
  try {
    plan = assemble(recorded);
  } catch (error) {
    logWarnings(evaluation, recorded.warnings.slice(known));
    throw placed(error, evaluation, sources);
  }
  logWarnings(evaluation, plan.warnings.slice(known));
  evaluation.log(`Successfully loaded Tiltfile (${formatDuration(performance.now() - startedAt)})`);
  const environment = withDockerignores(evaluation, plan, recorded);
  return { ...plan, environment: withShim(environment, options) };
}

function logWarnings(evaluation: Evaluation, warnings: readonly PlanWarning[]): void {
  for (const warning of warnings) evaluation.logWarning(warning);
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

/** What runs later finds the stand-in for `tilt` too. */
function withShim(
  { env, ...environment }: Plan["environment"],
  options: EvaluateOptions,
): Plan["environment"] {
  return { ...environment, env: { ...env, PATH: pathWithShim(options, env.PATH) } };
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
