import { isNotFound } from "./api/api-error.ts";
import type { ApiObject } from "./api/api-object.ts";
import type { KubernetesConnection } from "./connection.ts";
import type { ObjectRef } from "./delete-objects.ts";
import { readOptional } from "./detect-registry.ts";

/**
 * Ends the Pods of StatefulSets that are about to be deleted, and returns them: until these are gone, no new Pod can
 * have their names. It has to come before the owners go, since a kubelet that has begun to wait for the Pod's own grace
 * period (30 s by default) goes on with that. Throws as Transport.request() does.
 */
export async function endPodsOf(
  connection: KubernetesConnection,
  owners: readonly ObjectRef[],
  graceSeconds: number,
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  const sets = owners.filter(({ kind }) => kind === "StatefulSet");
  const namespaces = new Set(sets.flatMap(({ namespace }) => namespace ?? []));
  const isOwned = ({ metadata: { namespace, ownerReferences = [] } }: ApiObject) =>
    ownerReferences.some(({ kind, name }) =>
      sets.some((set) => set.kind === kind && set.name === name && set.namespace === namespace),
    );
  const ended = await Promise.all(
    [...namespaces].map(async (namespace) => {
      const pods = `/api/v1/namespaces/${namespace}/pods`;
      const list = (await readOptional(connection, pods, signal)) as
        | { readonly items?: readonly ApiObject[] }
        | undefined;
      const ending = (list?.items ?? []).filter(isOwned);
      await Promise.all(
        ending.map(({ metadata: { name, uid } }) =>
          endPod(connection, `${pods}/${name}`, uid, graceSeconds, signal),
        ),
      );
      return ending.map(({ metadata: { name, uid } }) => {
        return { apiVersion: "v1", kind: "Pod", namespace, name, uid };
      });
    }),
  );
  return ended.flat();
}

async function endPod(
  { transport }: KubernetesConnection,
  path: string,
  uid: string,
  gracePeriodSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const preconditions = { uid };
  const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds, preconditions };
  await transport.request({ method: "DELETE", path, body, signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
