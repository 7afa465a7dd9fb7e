import { EnvironmentError } from "../../errors.ts";
import type { ApiError } from "../api/api-error.ts";
import type { WatchKey } from "./watch-set.ts";

/** Whether a verdict needs what a watch tells. Without events, nodes or the names of Secrets it is less well explained, but as true. */
export function isDecisive({ kind, metadataOnly }: WatchKey): boolean {
  return !metadataOnly && kind !== "Event" && kind !== "Node";
}

/** The server does not let us read a kind. */
export function forbiddenWatch(key: WatchKey, error: ApiError): EnvironmentError {
  return new EnvironmentError(`Cannot watch ${describe(key)}: ${error.message}`, {
    hint: "The kubeconfig's user needs the verbs list and watch for it",
    cause: error,
  });
}

/** The server has failed to let us read a kind for long. */
export function blindWatch(key: WatchKey, error: Error, since: Date): EnvironmentError {
  const time = since.toISOString().slice(11, 19);
  return new EnvironmentError(`Cannot watch ${describe(key)} since ${time} UTC: ${error.message}`, {
    hint: "Look at the log of the API server",
    cause: error,
  });
}

const describe = ({ kind, namespace }: WatchKey) =>
  `objects of kind ${kind}${namespace === undefined ? "" : ` in namespace "${namespace}"`}`;
