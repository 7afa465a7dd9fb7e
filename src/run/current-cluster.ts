import {
  type CurrentCluster,
  findLocalKind,
  importIntoKindCluster,
  type RegistryAddress,
} from "../cluster/index.ts";
import { abandonable } from "../host/abandonable.ts";
import type { DeliveryTarget } from "../images/index.ts";
import {
  connect,
  containerRuntime,
  detectRegistry,
  type KubernetesConnection,
  nodeArchitecture,
  waitForApiServer,
} from "../kubernetes/index.ts";
import { CLUSTER_SUBJECT } from "../model/result.ts";
import { breakDown, type RunCluster, saveImage } from "./cluster.ts";
import { phase, type Session, tellCluster } from "./session.ts";

/** kube-proxy waits a second by default before it programs what it hears. */
const SERVICE_LAG_MS = 1500;

/** The current context's cluster: used as it stands. */
export function createCurrentCluster(session: Session, current: CurrentCluster): RunCluster {
  let started:
    | Promise<{
        readonly connection: KubernetesConnection;
        readonly registry: RegistryAddress | undefined;
      }>
    | undefined;
  let platform: Promise<string | undefined> | undefined;
  let local: ReturnType<typeof findLocalKind> | undefined;
  let isReady = false;
  const start = () => {
    started ??= phase(session, CLUSTER_SUBJECT, "create", async () => {
      const connection = await connect({ ...current, namespace: session.options.namespace });
      await waitForApiServer(connection, { signal: session.signal });
      const found = await detectRegistry(connection);
      const registry = found && {
        hostFromContainerRuntime: found.host,
        hostFromClusterNetwork: found.host,
        ...found,
      };
      isReady = true;
      const { context, kubeconfig } = current;
      tellCluster(session, {
        context,
        kubeconfig,
        stays: true,
        ...(found && { registryHost: found.host }),
      });
      session.connections.push({
        name: "the API server's connection",
        close: () => connection.close(),
      });
      session.reached(CLUSTER_SUBJECT, "registry");
      session.reached(CLUSTER_SUBJECT, "api");
      return { connection, registry };
    });
    started.catch((error: unknown) => breakDown(session, error));
    return started;
  };
  return {
    context: current.context,
    kubeconfig: current.kubeconfig,
    // those of development products do not grow
    staticNodes: current.product !== "unknown",
    get isReady() {
      return isReady;
    },
    lease: undefined,
    reuse: undefined,
    withoutRegistry: async () => {
      const { connection } = await start();
      return withoutRegistry(session, current, connection);
    },
    start: () => void start(),
    api: (signal) =>
      abandonable(
        start().then(({ connection }) => connection),
        signal,
      ),
    registry: () => start().then(({ registry }) => registry),
    platform: () => (platform ??= platformOf(session, start())),
    serves: async (addresses, signal) => {
      local ??= localKind(session, current, start());
      const nodes = await local;
      await (nodes
        ? nodes.routes(addresses, SERVICE_LAG_MS, signal)
        : session.host.clock.sleep(SERVICE_LAG_MS, signal).catch(() => {}));
    },
  };
}

/** The nodes of a kind cluster can be asked, as those of our own: the API does not tell where a Service leads. */
async function localKind(
  { host, signal }: Session,
  { product, clusterName }: CurrentCluster,
  started: Promise<{ readonly connection: KubernetesConnection }>,
): ReturnType<typeof findLocalKind> {
  if (product !== "kind") return undefined;
  const { connection } = await started;
  return findLocalKind(kindName(clusterName), connection.access.server, host, signal);
}

function kindName(clusterName: string): string {
  return clusterName.replace(/^kind-/, "");
}

async function platformOf(
  { signal }: Session,
  started: Promise<{ readonly connection: KubernetesConnection }>,
): Promise<string | undefined> {
  const { connection } = await started;
  const architecture = await nodeArchitecture(connection, { signal });
  return architecture === undefined ? undefined : `linux/${architecture}`;
}

/** Products whose nodes may run on the very Docker that builds. */
const SHARING: ReadonlySet<string> = new Set(["orbstack", "rancher-desktop", "colima"]);

/** As Tilt: an image is not sent where Docker runs the pods, is loaded into kind's nodes, and else pushed (ci-engine.md §8). */
async function withoutRegistry(
  session: Session,
  { product, clusterName }: CurrentCluster,
  connection: KubernetesConnection,
): Promise<DeliveryTarget> {
  const { host, signal } = session;
  const inMinikube = product === "minikube" && host.env.MINIKUBE_ACTIVE_DOCKERD !== undefined;
  if (product === "docker-desktop" || inMinikube) return { type: "none" };
  if (SHARING.has(product)) {
    const runtime = await containerRuntime(connection, { signal });
    if (runtime === "docker") return { type: "none" };
  }
  if (product !== "kind") return { type: "push" };
  session.warn(
    `Cluster ${clusterName} announces no registry: each image is saved and loaded into its nodes whole, which is slow`,
    { resource: CLUSTER_SUBJECT },
  );
  return {
    type: "load",
    load: (ref, stop) =>
      importIntoKindCluster(kindName(clusterName), () => saveImage(host, ref), host, stop),
  };
}
