import type { ApiObject } from "./api/api-object.ts";
import type { KubernetesConnection } from "./connection.ts";
import type { ObjectRef } from "./delete-objects.ts";
import { readOptional } from "./detect-registry.ts";

interface StatefulSet {
  readonly spec?: {
    readonly volumeClaimTemplates?: readonly { readonly metadata?: { readonly name?: string } }[];
  };
}

/**
 * The claims that StatefulSets have made of their templates. Kubernetes keeps them when a set goes, so that the next
 * one of that name finds the data of the last. To be asked before the sets are deleted. Throws as Transport.request() does.
 */
export async function claimsOf(
  connection: KubernetesConnection,
  owners: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  const sets = owners.filter(({ kind, namespace }) => kind === "StatefulSet" && namespace);
  const claims = await Promise.all(sets.map((set) => claimsOfSet(connection, set, signal)));
  return claims.flat();
}

async function claimsOfSet(
  connection: KubernetesConnection,
  { namespace, name: set }: ObjectRef,
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${set}`;
  const live = (await readOptional(connection, path, signal)) as StatefulSet | undefined;
  const prefixes = (live?.spec?.volumeClaimTemplates ?? []).map(
    ({ metadata }) => `${metadata?.name}-${set}-`,
  );
  if (prefixes.length === 0) return [];
  const list = (await readOptional(
    connection,
    `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
    signal,
  )) as { readonly items?: readonly ApiObject[] } | undefined;
  return (list?.items ?? [])
    .filter(({ metadata: { name } }) =>
      prefixes.some((prefix) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))),
    )
    .map(({ metadata: { name, uid } }) => ({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace,
      name,
      uid,
    }));
}
