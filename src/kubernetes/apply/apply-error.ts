import { EnvironmentError, messageOf, PhaseFailure } from "../../errors.ts";
import type { Position } from "../../model/position.ts";
import type { Failure } from "../../model/result.ts";
import { ApiError, ConnectionError, isTransient } from "../api/api-error.ts";

/** Errors of applying that pass: what they wait for is on its way, or somebody else was quicker. */
const PASSING = [
  /error looking up service account/,
  /no API token found/,
  /failed calling webhook/,
  /conversion webhook for .* failed/,
  /object has been modified/,
  /context deadline exceeded/,
  /etcdserver:/,
];

/** Changes that only a new object can have (ci-engine.md §10, and two more that say the same in other words). */
const IMMUTABLE = [
  /field is immutable/,
  /Forbidden:/,
  /may not change once set/,
  /cannot change roleRef/,
];

/** Lists with the same key twice: fine to create, but nothing that server-side apply could merge. */
const UNMERGEABLE = /duplicate entries for key/;

/** The namespace being ended is that of an earlier run; waiting for it would be waiting for nothing. */
const TERMINATING = /unable to create new content in namespace .* because it is being terminated/;

/** Whether the same request may succeed a moment later without anybody changing anything. */
export function isPassing(error: unknown): boolean {
  if (isDenied(error)) return false;
  if (isTransient(error)) return true;
  if (!(error instanceof ApiError)) return false;
  return (
    (error.code === 409 && error.reason === "Conflict") ||
    PASSING.some((pattern) => pattern.test(error.message))
  );
}

/** An admission webhook has looked at the object and does not want it, whatever status it chose for that. */
function isDenied(error: unknown): boolean {
  return error instanceof ApiError && /denied the request/.test(error.message);
}

export function needsRecreation(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.code === 422 &&
    IMMUTABLE.some((pattern) => pattern.test(error.message))
  );
}

export function isUnmergeable(error: unknown): boolean {
  return error instanceof ApiError && UNMERGEABLE.test(error.message);
}

/** The error that ends applying an object: the user's (PhaseFailure) or the environment's (EnvironmentError). */
export function applyError(error: unknown, object: string, position: Position | undefined): Error {
  if (error instanceof ConnectionError || isServerTrouble(error))
    return new EnvironmentError(`Cannot apply ${object}: ${messageOf(error)}`, { cause: error });
  if (!(error instanceof ApiError)) return error as Error;
  return rejection(object, briefMessage(error), {
    position,
    detail: detailOf(error),
    hint: hintFor(error),
  });
}

/** `ApplyRejected`, as an exception. */
export function rejection(
  object: string,
  why: string,
  more: {
    readonly position?: Position | undefined;
    readonly detail?: string | undefined;
    readonly hint?: string | undefined;
  } = {},
): PhaseFailure {
  const failure: Failure = {
    code: "ApplyRejected",
    message: `${object} was rejected: ${why}`,
    object,
    ...(more.detail === undefined ? {} : { detail: more.detail }),
    ...(more.position === undefined ? {} : { position: more.position }),
    ...(more.hint === undefined ? {} : { hint: more.hint }),
  };
  return new PhaseFailure(failure);
}

function isServerTrouble(error: unknown): boolean {
  return isTransient(error) && !(error instanceof ApiError && /webhook/.test(error.message));
}

/** `Deployment.apps "web" is invalid: spec.replicas: …` → from the field on; the server's way of naming the object is left out. */
function briefMessage({ message }: ApiError): string {
  return message
    .replace(/^failed to create (?:manager for existing fields|typed patch object) \([^)]*\): /, "")
    .replace(/^\S+ "[^"]*" is invalid: /, "")
    .replace(/^errors:\s*/, "")
    .replace(/\s*\n\s*/g, "; ")
    .replace(/(^|; )\./g, "$1");
}

function detailOf({ message, status }: ApiError): string {
  const causes = (status.details?.causes ?? []).map(({ field, message: text }) =>
    field ? `${field}: ${text}` : (text ?? ""),
  );
  return [message, ...causes.filter((cause) => !message.includes(cause))].join("\n");
}

function hintFor({ message }: ApiError): string | undefined {
  if (/^namespaces "[^"]+" not found/.test(message))
    return "Apply the Namespace as well, or let --create-namespaces make it";
  if (TERMINATING.test(message))
    return "The namespace is being deleted: wait for that, or use another";
  return undefined;
}
