import type { Host } from "./host/host.ts";
import type { LogLine, RunEvent } from "./model/event.ts";
import type { ExitCode } from "./model/result.ts";
import type { RunResult } from "./model/run-result.ts";
import { carryOutPlan } from "./run/carry-out-plan.ts";
import { chooseCluster } from "./run/choose-cluster.ts";
import { endWithin, unlessCrashed } from "./run/crash.ts";
import { collectBundle } from "./run/diagnostics.ts";
import { evaluateTiltfile } from "./run/evaluate.ts";
import { openSession } from "./run/open-session.ts";
import { tearDown } from "./run/teardown.ts";
import { type RunVerdict, verdictOfError } from "./run/verdict.ts";
import type { RunOptions } from "./run-options.ts";

/** Who watches a run: the console, and whoever else wants its events. */
export interface RunObserver {
  event(event: RunEvent): void;
  /** Scrubbed of secrets. */
  line(line: LogLine): void;
  /** What came of it: when that is clear, shortly before the last event, and once more, complete, after that. */
  report(result: RunResult): void;
  /** A value that was given as a secret, as soon as it is known: nothing else may show it either. */
  secret?(value: string): void;
}

export interface RunIo {
  /** Aborted by the first signal; its reason is the signal's name. */
  readonly cancel: AbortSignal;
  /** Aborted by a second signal: logs are not worth waiting for any more. */
  readonly hurry: AbortSignal;
  /** Aborted when something was thrown that nobody caught, with that for its reason: a bug of ours. */
  readonly crashed: AbortSignal;
  readonly observer: RunObserver;
}

/**
 * Takes a Tiltfile to a verdict. Start reading here: a line is a phase, a phase is a folder.
 * Never throws for what went wrong: that is told by events and reports, and by the exit code.
 */
export async function run(options: RunOptions, host: Host, io: RunIo): Promise<ExitCode> {
  const session = await openSession(options, host, io);
  let verdict: RunVerdict;
  try {
    verdict = await unlessCrashed(session, io.crashed, async () => {
      const choice = await chooseCluster(session);
      const plan = await evaluateTiltfile(session, choice);
      return carryOutPlan(session, plan, choice.cluster);
    });
    session.conclude(verdict);
  } catch (error) {
    verdict = verdictOfError(error, session);
    session.conclude(verdict);
  }
  await collectBundle(session, verdict);
  const clean = await endWithin(io.crashed, session, () => tearDown(session, verdict));
  return session.finish(verdict, clean);
}
