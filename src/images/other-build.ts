import { PhaseFailure } from "../errors.ts";
import type { Clock, CommandOutcome } from "../host/host.ts";
import type { Position } from "../model/position.ts";
import { BuildProgress } from "./build-progress.ts";
import type { BuildHooks } from "./docker-build.ts";
import { InfrastructureError, isInfrastructureText, isUnknownHost } from "./infrastructure.ts";

/** An image that another program has BuildKit build: Docker Compose. */
export interface OtherBuild {
  readonly ref: string;
  readonly position: Position;
  /** Has it built; the builder's output goes to `onLine`. */
  readonly run: (
    onLine: (line: string) => void,
    signal: AbortSignal,
  ) => Promise<Pick<CommandOutcome, "exitCode">>;
}

/**
 * Has an image built once, and reads the builder's output as that of a `docker_build`. Throws `PhaseFailure` (BuildFailed)
 * when the user's build fails, `InfrastructureError` when what it stands on does.
 */
export async function runOtherBuild(
  { ref, position, run }: OtherBuild,
  clock: Clock,
  { onLine, onStep, signal }: BuildHooks,
): Promise<{ readonly cached: boolean }> {
  const progress = new BuildProgress(clock.now, onStep);
  const { exitCode } = await run((line) => {
    progress.add(line);
    if (line !== "") onLine(line); // BuildKit parts its steps by empty lines
  }, signal);
  if (exitCode === 0) return { cached: progress.cached };
  const { message, cause, detail, stepFailed } = progress.error();
  const failure = new PhaseFailure({
    code: "BuildFailed",
    message: `Image "${ref}": ${message}`,
    detail,
    object: ref,
    position,
  });
  if (stepFailed || !isInfrastructureText(cause)) throw failure;
  const lasting = isUnknownHost(cause) ? failure : undefined;
  throw new InfrastructureError(message, { detail, lasting });
}
