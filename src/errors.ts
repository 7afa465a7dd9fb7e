import type { Failure } from "./model/result.ts";
import { EXIT, type ExitCode } from "./model/result.ts";

/** We cannot go on (as opposed to: the user's software failed, which is a result). `message` is one sentence; `hint` says what to try. */
export class RunError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  constructor(
    message: string,
    exitCode: ExitCode,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.hint = options.hint;
  }
}

/** Bad flags or arguments: exit 2. */
export class UsageError extends RunError {
  constructor(message: string, hint?: string) {
    super(message, EXIT.badInput, { hint });
  }
}

/** The environment (Docker, kind, registry, API server, disk) is broken: exit 3. */
export class EnvironmentError extends RunError {
  constructor(message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, EXIT.environment, options);
  }
}

/** A bug of ours, whatever it was that was thrown: exit 3. */
export class InternalError extends RunError {
  constructor(cause: unknown) {
    super(`tilt-ci has a bug: ${messageOf(cause)}`, EXIT.environment, {
      hint: "Run again with --debug and report it with what it prints",
      cause,
    });
  }
}

/** Thrown by whatever waits when the run's signal fires. Never reported as a failure of its own. */
export class CancelledError extends Error {
  constructor(message = "cancelled") {
    super(message);
    this.name = "CancelledError";
  }
}

/** A step of the user's software failed: carried to the phase that ran it and reported as its `Failure`. */
export class PhaseFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = "PhaseFailure";
    this.failure = failure;
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
