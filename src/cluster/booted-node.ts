import { EnvironmentError } from "../errors.ts";
import { CommandFailedError, type ContainerEngine } from "./container-engine.ts";

/** Longer than kind's own 30 s: where kind is what waits, its words come first and say what to do. */
const BOOT_TIMEOUT_MS = 45_000;
/** The line that kind waits for, too. */
const BOOTED = /Reached target .*Multi-User System|detected cgroup v1/;

/**
 * Waits until a node's init has set up its control groups: a command that is run in the node before that may end up
 * where cgroup v2 allows no process, and the boot fails. Throws `EnvironmentError` when the node ends or hangs.
 */
export async function bootedNode(
  node: string,
  engine: ContainerEngine,
  signal: AbortSignal,
): Promise<void> {
  const seen = new AbortController();
  const outcome = await engine
    .run(["logs", "--follow", node], {
      signal: AbortSignal.any([signal, seen.signal]),
      timeoutMs: BOOT_TIMEOUT_MS,
      killAfterMs: 100,
      onLine: (line) => {
        if (BOOTED.test(line)) seen.abort();
      },
    })
    .catch((error: unknown) => {
      if (seen.signal.aborted && !signal.aborted) return undefined;
      throw error;
    });
  if (outcome === undefined) return;
  if (outcome.timedOut)
    throw new EnvironmentError(`The node ${node} has not booted after ${BOOT_TIMEOUT_MS / 1000} s`);
  throw new CommandFailedError(`The node ${node} has ended`, outcome);
}
