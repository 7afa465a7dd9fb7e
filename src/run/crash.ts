import { InternalError } from "../errors.ts";
import type { Session } from "./session.ts";

/*
 * A bug of ours may have stopped anything, the loop that decides included: nothing is waited for without a bound any more,
 * and everything that can still be done is: the reports, and above all the teardown.
 */

/** For the run to notice that it is broken and to end its phases in the log. */
const NOTICE_MS = 3_000;
/** For the teardown, which takes 1 to 3 s with a cluster. */
const TEARDOWN_MS = 60_000;

/** Does the work of a run. A bug breaks it off: rejects with `InternalError` then, whatever has become of the work. */
export async function unlessCrashed<T>(
  session: Pick<Session, "broken" | "host">,
  crashed: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const crash = onceAborted(crashed).then(async () => {
    const error = new InternalError(crashed.reason);
    session.broken.abort(error);
    await session.host.clock.sleep(NOTICE_MS);
    throw error;
  });
  crash.catch(() => {});
  const outcome = await Promise.race([work(), crash]);
  if (crashed.aborted) throw new InternalError(crashed.reason);
  return outcome;
}

/** Tears down; after a bug within a bound. Whether all is gone and no bug has shown. */
export async function endWithin(
  crashed: AbortSignal,
  { host, info, warn }: Pick<Session, "host" | "info" | "warn">,
  tearDown: () => Promise<boolean>,
): Promise<boolean> {
  const late = onceAborted(crashed).then(async () => {
    await host.clock.sleep(TEARDOWN_MS);
    warn(`The teardown did not end: finish it with: tilt-ci down ${info.id}`);
    return false;
  });
  const clean = await Promise.race([tearDown(), late]);
  return clean && !crashed.aborted;
}

function onceAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
