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
    return { status: "failed", failure: { code: "TiltfileError", message: error.message } };
  return { status: "error", failure: infrastructureFailure(error) };
}

function tiltfileFailure(error: TiltfileError): Failure {
  const [first = "", ...rest] = error.message.split("\n");
  const last = rest.at(-1);
  return {
    code: error.code,
    // The reason stands in the last line of a traceback; what led there is detail.
    message: first.startsWith("Traceback") && last ? last : first,
    ...(rest.length > 0 || error.excerpt
      ? { detail: [error.message, error.excerpt].filter(Boolean).join("\n") }
      : {}),
    ...(error.position ? { position: error.position } : {}),
    ...(error.hint ? { hint: error.hint } : {}),
  };
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
