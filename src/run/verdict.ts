import { InternalError, messageOf, PhaseFailure, RunError } from "../errors.ts";
import type { RunEvent } from "../model/event.ts";
import { isInfrastructure } from "../model/reason.ts";
import {
  EXIT,
  type ExitCode,
  SIGNAL_EXITS,
  successMessage,
  type Verdict,
} from "../model/result.ts";
import type { LoopEnd } from "./loop.ts";
import type { Session } from "./session.ts";

export interface RunVerdict {
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly message: string;
}

export type CancelSignal = keyof typeof SIGNAL_EXITS;

/** A run that was cancelled from outside. */
export function cancelledBy(signal: CancelSignal): RunVerdict {
  return {
    verdict: "cancelled",
    exitCode: SIGNAL_EXITS[signal],
    message: `Cancelled by ${signal}`,
  };
}

/**
 * The verdict of a loop that ended by itself. When both the user's software and the environment failed, what failed
 * first decides: a broken API server makes pods look bad, but a pod that failed before is what the user must hear of.
 * `broken` is what broke the environment where no phase has met it, as the loss of an API server that is only watched.
 */
export function verdictOf(
  reason: LoopEnd["reason"],
  events: readonly RunEvent[],
  { command, broken }: { readonly command: string; readonly broken?: unknown },
): RunVerdict {
  if (reason === "passed")
    return { verdict: "passed", exitCode: EXIT.passed, message: successMessage(command) };
  const first = events.find(
    (event) =>
      event.type === "phase-finished" && (event.status === "failed" || event.status === "error"),
  );
  const failure = first?.type === "phase-finished" ? first : undefined;
  const message = failure?.failure
    ? `${failure.resource}: ${failure.failure.message}`
    : broken === undefined
      ? "the run failed"
      : messageOf(broken);
  const isEnvironment = failure === undefined ? reason === "broken" : failure.status === "error";
  return isEnvironment
    ? { verdict: "error", exitCode: EXIT.environment, message }
    : { verdict: "failed", exitCode: EXIT.failed, message };
}

/** The verdict of a run that an exception ended: a bad Tiltfile, a broken environment, a signal, or a bug of ours. */
export function verdictOfError(
  error: unknown,
  { broken, cancelled }: Pick<Session, "broken" | "cancelled">,
): RunVerdict {
  if (cancelled.aborted) return cancelledBy(cancelled.reason as CancelSignal);
  // What broke the environment made others give up: it is the reason, not they.
  const cause = broken.signal.aborted ? broken.signal.reason : error;
  if (cause instanceof PhaseFailure && !isInfrastructure(cause.failure.code))
    return { verdict: "failed", exitCode: EXIT.failed, message: cause.message };
  if (cause instanceof PhaseFailure)
    return { verdict: "error", exitCode: EXIT.environment, message: cause.message };
  if (cause instanceof RunError)
    return { verdict: "error", exitCode: cause.exitCode, message: cause.message };
  const { message, exitCode } = new InternalError(cause);
  return { verdict: "error", exitCode, message };
}
