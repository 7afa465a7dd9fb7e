import { isNotFound } from "./api/api-error.ts";
import type { ApiObject } from "./api/api-object.ts";
import type { KubernetesConnection } from "./connection.ts";
import type { ObjectRef } from "./delete-objects.ts";
import { readOptional } from "./detect-registry.ts";

/** Kinds whose controllers make Pods, a Deployment's by way of its ReplicaSets. */
const OWNERS = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"];

export interface OwnedPod extends ObjectRef {
  /** While it ends, a new one may run: they meet on no port of the node and in no lasting volume. */
  readonly isAlone: boolean;
}

/** The Pods of a workload, and the ReplicaSets between them and it. */
export interface Owned {
  readonly replicaSets: readonly ObjectRef[];
  readonly pods: readonly OwnedPod[];
}

/** Looks up what workloads own while they are still there; returns it by workload. Throws as Transport.request() does. */
export async function ownedBy(
  connection: KubernetesConnection,
  refs: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<ReadonlyMap<ObjectRef, Owned>> {
  const owners = refs.filter(({ kind, namespace }) => OWNERS.includes(kind) && namespace);
  const namespaces = new Set(owners.flatMap(({ namespace }) => namespace ?? []));
  const list = async (group: string, plural: string): Promise<readonly ApiObject[]> => {
    const lists = await Promise.all(
      [...namespaces].map((namespace) =>
        readOptional(connection, `/${group}/namespaces/${namespace}/${plural}`, signal),
      ),
    );
    return lists.flatMap((answer) => (answer as { items?: readonly ApiObject[] })?.items ?? []);
  };
  const hasDeployments = owners.some(({ kind }) => kind === "Deployment");
  const [pods, replicaSets] = await Promise.all([
    list("api/v1", "pods"),
    hasDeployments ? list("apis/apps/v1", "replicasets") : [],
  ]);
  return new Map(owners.map((owner) => [owner, ownedByOne(owner, pods, replicaSets)]));
}

function ownedByOne(
  owner: ObjectRef,
  pods: readonly ApiObject[],
  replicaSets: readonly ApiObject[],
): Owned {
  const podsOf = (by: ObjectRef) =>
    ownedObjects(pods, by).map((pod) => ({ ...refTo(pod, "v1", "Pod"), isAlone: isAlone(pod) }));
  if (owner.kind !== "Deployment") return { replicaSets: [], pods: podsOf(owner) };
  const sets = ownedObjects(replicaSets, owner).map((set) => refTo(set, "apps/v1", "ReplicaSet"));
  return { replicaSets: sets, pods: sets.flatMap(podsOf) };
}

function ownedObjects(objects: readonly ApiObject[], by: ObjectRef): readonly ApiObject[] {
  return objects.filter(
    ({ metadata: { namespace, ownerReferences = [] } }) =>
      namespace === by.namespace &&
      ownerReferences.some(({ kind, name }) => kind === by.kind && name === by.name),
  );
}

/** A list's items do not say what they are. */
function refTo({ metadata }: ApiObject, apiVersion: string, kind: string): ObjectRef {
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, namespace, name, uid };
}

interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly hostIPC?: boolean;
  readonly containers?: readonly { readonly ports?: readonly { readonly hostPort?: number }[] }[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

/** Volumes of which each Pod has one of its own. */
const OWN_VOLUMES = ["configMap", "downwardAPI", "emptyDir", "projected", "secret"];

function isAlone({ spec }: ApiObject): boolean {
  const { hostNetwork, hostIPC, containers = [], volumes = [] } = (spec ?? {}) as PodSpec;
  const takesPorts = containers.some(({ ports = [] }) => ports.some(({ hostPort }) => hostPort));
  const isOwn = (volume: object) =>
    Object.keys(volume).every((key) => key === "name" || OWN_VOLUMES.includes(key));
  return !hostNetwork && !hostIPC && !takesPorts && volumes.every(isOwn);
}

/** Deletes ReplicaSets, whose controller would replace the Pods, and then the Pods. Throws as Transport.request() does. */
export async function endOwned(
  connection: KubernetesConnection,
  { replicaSets, pods }: Owned,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    replicaSets.map((set) =>
      remove(connection, set, "apis/apps/v1", { propagationPolicy: "Background" }, signal),
    ),
  );
  await Promise.all(pods.map((pod) => endPod(connection, pod, graceSeconds, signal)));
}

/**
 * Takes Pods that have been told to end, and are alone, out of the API ahead of their end: then others can have their
 * names, and no Service leads to them, as it does to Pods that end while no other is ready. Their kubelet ends them all
 * the same. Throws as Transport.request() does.
 */
export async function withdraw(
  connection: KubernetesConnection,
  pods: readonly OwnedPod[],
  signal: AbortSignal,
): Promise<void> {
  const alone = pods.filter(({ isAlone }) => isAlone);
  await Promise.all(alone.map((pod) => endPod(connection, pod, 0, signal)));
}

function endPod(
  connection: KubernetesConnection,
  pod: ObjectRef,
  gracePeriodSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  return remove(connection, pod, "api/v1", { gracePeriodSeconds }, signal);
}

/** Deletes that very object. */
async function remove(
  { transport }: KubernetesConnection,
  { kind, namespace, name, uid }: ObjectRef,
  group: string,
  options: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const path = `/${group}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
  const body = { apiVersion: "v1", kind: "DeleteOptions", ...options, preconditions: { uid } };
  await transport.request({ method: "DELETE", path, body, signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
