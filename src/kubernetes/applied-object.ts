import type { ApiObject } from "./api/api-object.ts";

/** An object that this run has applied (or that a custom deploy has printed), as the API server returned it. */
export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** The state that applying it returned, cut down to what this room reads. */
  readonly object: ApiObject;
}

/** An applied object out of what an API server, or a command that talked to one, returned. */
export function appliedObject(object: ApiObject): AppliedObject {
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, namespace, name, uid, object };
}
