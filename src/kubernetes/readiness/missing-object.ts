import type { Failure } from "../../model/result.ts";
import { type Evidence, failedUnlessChanged, type Judgement, pending } from "./judgement.ts";

/** An object, or a key in it, that a kubelet or a controller looked for in vain. */
export interface MissingObject {
  readonly kind:
    | "Secret"
    | "ConfigMap"
    | "PersistentVolumeClaim"
    | "Service"
    | "ServiceAccount"
    | "StorageClass";
  readonly name: string;
  readonly key?: string;
}

/** The object may be made by a controller we know nothing of; a kubelet looks again only every so often. */
const MISSING_MS = 8_000;
const KEY_MS = 4_000;
/** Where there is no such controller, what is still missing a moment later stays so. */
const NOBODY_ELSE_MS = 1_000;

const KINDS: Readonly<Record<string, MissingObject["kind"]>> = {
  secret: "Secret",
  configmap: "ConfigMap",
  persistentvolumeclaim: "PersistentVolumeClaim",
  service: "Service",
  serviceaccount: "ServiceAccount",
  storageclass: "StorageClass",
};

/** Reads the name of a missing object out of what kubelet, scheduler and controllers say. */
export function missingObjectIn(message: string): MissingObject | undefined {
  const key = /couldn't find key (\S+) in (Secret|ConfigMap) [^/\s]+\/(\S+)/.exec(message);
  if (key) return { kind: key[2] as "Secret" | "ConfigMap", name: key[3]!, key: key[1]! };
  const object =
    /\b(secret|configmap|persistentvolumeclaim|service|serviceaccount|storageclass)s?(?:\.storage\.k8s\.io)? "([^"]+)" not found/i.exec(
      message,
    );
  if (object) return { kind: KINDS[object[1]!.toLowerCase()]!, name: object[2]! };
  return undefined;
}

/** Judges something that waits for an object that is not there. */
export function judgeMissing(
  missing: MissingObject,
  namespace: string,
  subject: { readonly summary: string; readonly uid: string; readonly failure: Failure },
  evidence: Evidence,
): Judgement {
  const { summary, failure, uid } = subject;
  const { kind, name, key } = missing;
  const exists = evidence.exists(kind, namespace, name);
  const sure = evidence.nobodyElse && exists !== undefined;
  const patience = (ms: number) => (sure ? NOBODY_ELSE_MS : ms);
  if (evidence.mayStillAppear(kind, namespace, name)) return pending(summary, { failure });
  if (key !== undefined) {
    const ms = patience(KEY_MS);
    return failedUnlessChanged(ms, `key ${uid} ${kind} ${name} ${key}`, summary, failure);
  }
  // It came after the message: whoever missed it will look again.
  if (exists === true) return pending(summary, { failure });
  const ms = patience(MISSING_MS);
  return failedUnlessChanged(ms, `missing ${uid} ${kind} ${name}`, summary, failure);
}
