import type { ClusterLease, ReuseHandle } from "../cluster/index.ts";
import {
  type ConnectOptions,
  connect,
  type KubernetesConnection,
  waitForApiServer,
} from "../kubernetes/index.ts";
import { deleteEarlierObjects } from "./earlier-objects.ts";
import type { Session } from "./session.ts";

/** A server that has been running answers at once, if the kubeconfig is still its own. */
const AHEAD_MS = 1000;

/** The API server of a cluster of ours, once it serves and holds nothing that earlier runs have applied. */
export async function openConnection(
  session: Session,
  lease: ClusterLease,
  reuse: ReuseHandle | undefined,
): Promise<KubernetesConnection> {
  const access = {
    kubeconfig: lease.kubeconfig,
    context: lease.context,
    namespace: session.options.namespace,
  };
  const deleted = reuse && deleteAhead(session, lease, reuse, access);
  await lease.apiReady;
  const connection = await connect(access);
  if (reuse && !(await deleted)) await deleteEarlierObjects(session, connection, reuse);
  return connection;
}

/**
 * Deletes what earlier runs have applied while the nodes of their cluster are still looked at, by the kubeconfig that the
 * last of them used. Whether that could be done. Never rejects.
 */
async function deleteAhead(
  session: Session,
  lease: ClusterLease,
  reuse: ReuseHandle,
  access: ConnectOptions,
): Promise<boolean> {
  let connection: KubernetesConnection | undefined;
  try {
    if (!(await lease.attached)) return false;
    connection = await connect(access);
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(AHEAD_MS)]);
    await waitForApiServer(connection, { signal });
    await deleteEarlierObjects(session, connection, reuse);
    return true;
  } catch {
    return false; // to be found out, and told, by whoever waits for the cluster
  } finally {
    await connection?.close();
  }
}
