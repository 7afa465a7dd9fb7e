import { isNotFound } from "./api/api-error.ts";
import type { ApiObject } from "./api/api-object.ts";
import type { KubernetesConnection } from "./connection.ts";
import type { ObjectRef } from "./delete-objects.ts";
import { readOptional } from "./detect-registry.ts";

/**
 * Shortens the grace period of the Pods of StatefulSets that are being deleted, which may be 30 s and more: until they
 * are gone, no new Pod can have their names. Throws as Transport.request() does.
 */
export async function endPodsOf(
  connection: KubernetesConnection,
  owners: readonly ObjectRef[],
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const sets = owners.filter(({ kind }) => kind === "StatefulSet");
  const namespaces = new Set(sets.flatMap(({ namespace }) => namespace ?? []));
  const isOwned = ({ metadata: { namespace, ownerReferences = [] } }: ApiObject) =>
    ownerReferences.some(({ kind, name }) =>
      sets.some((set) => set.kind === kind && set.name === name && set.namespace === namespace),
    );
  await Promise.all(
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
    }),
  );
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
