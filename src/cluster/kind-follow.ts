import { EnvironmentError } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import { apiReady } from "./api-readiness.ts";
import { bootedNode } from "./booted-node.ts";
import type { ContainerEngine } from "./container-engine.ts";
import { deferred } from "./deferred.ts";
import { type BringUpHooks, step } from "./hooks.ts";
import { formatKubeconfig } from "./kubeconfig.ts";
import type { RegistryAddress } from "./local-registry-hosting.ts";
import { type NodeContainer, nodeContainersOf, runningNodes } from "./node-containers.ts";
import { hostsFiles, type NodeRegistry } from "./node-script.ts";
import { type Administrators, setUpControlPlane, setUpWorker } from "./node-setup.ts";
import type { RegistryLease } from "./registry.ts";
import { writePrivateFile } from "./state.ts";

const NODE_POLL_MS = 100;

/** A cluster whose API server answers. */
export interface RunningCluster {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  readonly administrators: Administrators;
}

export interface Following {
  readonly name: string;
  readonly kubeconfig: string;
  /** How many nodes run Kubernetes, and how many of them a control plane. */
  readonly nodes: number;
  readonly controlPlanes: number;
  /** They have run for a while: nobody has to wait for their init. */
  readonly booted?: boolean | undefined;
  readonly registry: RegistryLease | undefined;
  readonly network: string;
  readonly engine: ContainerEngine;
  readonly clock: Clock;
  readonly hooks: BringUpHooks;
  readonly signal: AbortSignal;
  /** Every node's containerd answers and knows the registry. */
  onNodes(names: readonly string[]): void;
}

/**
 * Follows a cluster that comes up, from inside its nodes: to containers that run, containerds that answer, and an
 * API server that obeys. Throws `EnvironmentError` or, when the signal fires, `CancelledError`.
 */
export async function followCluster(following: Following): Promise<RunningCluster> {
  const { name, kubeconfig, controlPlanes, hooks, clock, signal } = following;
  const containers = await step("node containers", hooks, clock, () => allRunning(following));
  const address = containers.find(({ apiAddress, role }) =>
    controlPlanes > 1 ? role === "load-balancer" : apiAddress,
  )?.apiAddress;
  if (!address) throw new EnvironmentError(`The API server of ${name} is published on no address`);
  const administrators = await setUp(
    containers.filter(({ role }) => role !== "load-balancer"),
    following,
  );
  const server = `https://${address}`;
  await writePrivateFile(kubeconfig, formatKubeconfig(name, server, administrators.admin));
  await step("API server", hooks, clock, () => apiReady(server, administrators, clock, signal));
  return { server, administrators };
}

async function allRunning({
  name,
  nodes,
  engine,
  clock,
  signal,
}: Following): Promise<readonly NodeContainer[]> {
  while (true) {
    const containers = await nodeContainersOf(name, engine, signal);
    if (runningNodes(containers).length >= nodes) return containers;
    await clock.sleep(NODE_POLL_MS, signal);
  }
}

/** All nodes at once, by one command in each; the first control plane's administrators. */
async function setUp(
  containers: readonly NodeContainer[],
  { booted, registry, network, engine, clock, hooks, signal, onNodes }: Following,
): Promise<Administrators> {
  const first = containers.find(({ role }) => role === "control-plane");
  if (!booted) await Promise.all(containers.map(({ name }) => bootedNode(name, engine, signal)));
  if (!first) throw new EnvironmentError("The cluster has no control plane");
  const startedAt = clock.now();
  const names = containers.map(({ name }) => name);
  const attached = registry?.attach(network);
  attached?.catch(() => {}); // awaited below; the registry's address may fail first
  const files = registry ? hostsFiles(nodeRegistry(await registry.ready)) : {};
  const wired = deferred<void>();
  let left = names.length;
  const onContainerd = () => {
    left -= 1;
    if (left === 0) wired.resolve();
  };
  const onUnpacked = () => hooks.onStep?.("unpack control plane images", startedAt, clock.now());
  const setups = [
    setUpControlPlane(
      first.name,
      files,
      engine,
      booted ? { onContainerd } : { onContainerd, onUnpacked },
      signal,
    ),
    ...names
      .filter((name) => name !== first.name)
      .map((name) => setUpWorker(name, files, engine, { onContainerd }, signal)),
  ] as const;
  const ready = Promise.all([wired.promise, attached]).then(() => {
    hooks.onStep?.("containerd and registry", startedAt, clock.now());
    onNodes(names);
  });
  const [administrators] = await Promise.all([setups[0], ready, ...setups.slice(1)]);
  return administrators;
}

/** The registry's address as a node uses it. */
export function nodeRegistry({ host, hostFromContainerRuntime }: RegistryAddress): NodeRegistry {
  return { host, address: hostFromContainerRuntime };
}
