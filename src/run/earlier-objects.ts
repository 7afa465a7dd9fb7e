import type { ReuseHandle } from "../cluster/index.ts";
import { deleteObjects, type KubernetesConnection } from "../kubernetes/index.ts";
import { CLUSTER_SUBJECT } from "../model/result.ts";
import type { Session } from "./session.ts";

/** An object by which it can be found and deleted again. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

type Named = Omit<ObjectRef, "namespace"> & { readonly namespace?: string | undefined };

/**
 * Deletes what earlier runs have applied to a reused cluster, before this one applies anything. What does not go is told,
 * and stays on record for the next run to try. Throws CancelledError only.
 */
export async function deleteEarlierObjects(
  session: Session,
  connection: KubernetesConnection,
  reuse: ReuseHandle,
): Promise<void> {
  if (reuse.objects.length === 0) return;
  // Nobody needs what still ends; as long as it does it may hold ports, and serve a Service of the new run.
  const { failures, remaining } = await deleteObjects(connection, reuse.objects, {
    wait: false,
    podGraceSeconds: 1,
    withClaims: true,
    signal: session.signal,
  });
  for (const failure of failures)
    session.warn(`Cannot delete what an earlier run applied: ${failure}`, {
      resource: CLUSTER_SUBJECT,
    });
  await reuse.recordObjects(remaining.map(refOf));
}

/** What is recorded of an object. */
export function refOf({ apiVersion, kind, name, namespace }: Named): ObjectRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}
