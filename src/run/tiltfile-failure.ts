import { UsageError } from "../errors.ts";
import type { Failure } from "../model/result.ts";
import { TiltfileError } from "../tiltfile/index.ts";
import { infrastructureFailure } from "./loop.ts";
import type { Session } from "./session.ts";

/** What an exception of the evaluation is, as a failure of its phase. */
export function describeTiltfileError(error: unknown): {
  readonly status: "failed" | "error";
  readonly failure: Failure;
} {
  if (error instanceof TiltfileError) return { status: "failed", failure: tiltfileFailure(error) };
  if (error instanceof UsageError)
    return {
      status: "failed",
      failure: {
        code: "TiltfileError",
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      },
    };
  return { status: "error", failure: infrastructureFailure(error) };
}

/** A message that quotes what a command printed may be long: all of it is in the detail. */
const MAX_REASON = 400;

function tiltfileFailure(error: TiltfileError): Failure {
  const lines = error.message.split("\n");
  return {
    code: error.code,
    message: reasonOf(lines),
    ...(lines.length > 1 || error.excerpt
      ? { detail: [error.message, error.excerpt].filter(Boolean).join("\n") }
      : {}),
    ...(error.position ? { position: error.position } : {}),
    ...(error.hint ? { hint: error.hint } : {}),
  };
}

/** One line: what stands below the frames of a traceback, which are indented; else the first line. */
function reasonOf([first = "", ...rest]: readonly string[]): string {
  if (!first.startsWith("Traceback")) return first;
  const start = rest.findIndex((line) => /^Error\b/.test(line));
  const told = rest.slice(start).map((line) => line.trim());
  const reason = told.filter((line) => line !== "").join(" ") || first;
  return reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON)}…` : reason;
}

/** Tells of an error about one resource under that resource: the file as such could be evaluated. */
export function tellOfResource(
  { log, now }: Pick<Session, "log" | "now">,
  resource: string,
  error: TiltfileError,
): void {
  const base = { resource, phase: "evaluate", attempt: 1 } as const;
  log.append({ type: "phase-started", at: now(), ...base });
  log.append({ type: "phase-finished", at: now(), ...base, ...describeTiltfileError(error) });
}
