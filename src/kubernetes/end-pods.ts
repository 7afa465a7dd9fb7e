import { isNotFound } from "./api/api-error.ts";
import type { ApiObject } from "./api/api-object.ts";
import type { KubernetesConnection } from "./connection.ts";
import type { ObjectRef } from "./delete-objects.ts";
import { readOptional } from "./detect-registry.ts";

/** Kinds whose controllers make Pods, a Deployment's by way of its ReplicaSets. */
const OWNERS = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"];

/** The Pods of a workload, and the ReplicaSets between them and it. */
export interface Owned {
  readonly replicaSets: readonly ObjectRef[];
  readonly pods: readonly ObjectRef[];
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
  const own = (objects: readonly ApiObject[], by: ObjectRef, apiVersion: string, kind: string) =>
    objects
      .filter(
        ({ metadata: { namespace, ownerReferences = [] } }) =>
          namespace === by.namespace &&
          ownerReferences.some(
            (reference) => reference.kind === by.kind && reference.name === by.name,
          ),
      )
      .map(({ metadata: { namespace, name, uid } }) => ({
        apiVersion,
        kind,
        namespace,
        name,
        uid,
      }));
  if (owner.kind !== "Deployment") return { replicaSets: [], pods: own(pods, owner, "v1", "Pod") };
  const sets = own(replicaSets, owner, "apps/v1", "ReplicaSet");
  return { replicaSets: sets, pods: sets.flatMap((set) => own(pods, set, "v1", "Pod")) };
}

/** Deletes ReplicaSets, whose controller would replace the Pods, and then the Pods. Throws as Transport.request() does. */
export async function endOwned(
  { transport }: KubernetesConnection,
  { replicaSets, pods }: Owned,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const remove = async (ref: ObjectRef, path: string, options: Record<string, unknown>) => {
    const preconditions = { uid: ref.uid };
    const body = { apiVersion: "v1", kind: "DeleteOptions", ...options, preconditions };
    await transport.request({ method: "DELETE", path, body, signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  };
  const inNamespace = ({ namespace, name }: ObjectRef, plural: string) =>
    `namespaces/${namespace}/${plural}/${name}`;
  await Promise.all(
    replicaSets.map((set) =>
      remove(set, `/apis/apps/v1/${inNamespace(set, "replicasets")}`, {
        propagationPolicy: "Background",
      }),
    ),
  );
  await Promise.all(
    pods.map((pod) =>
      remove(pod, `/api/v1/${inNamespace(pod, "pods")}`, { gracePeriodSeconds: graceSeconds }),
    ),
  );
}
