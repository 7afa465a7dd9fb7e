import { readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import type { Host } from "../../host/host.ts";
import { bootedNode } from "../booted-node.ts";
import type { ContainerEngine } from "../container-engine.ts";
import { freePort } from "../free-port.ts";
import type { BringUpHooks } from "../hooks.ts";
import type { RunRecord } from "../record.ts";
import { removeNodes } from "../remove.ts";
import { retryPassing } from "../retry.ts";
import type { BakedImage } from "./baked-image.ts";
import { machineArgs, setsProxies } from "./machine.ts";
import { nodeNameOf, nodeProxies, nodeRunArgs } from "./run-args.ts";
import type { SingleNode } from "./single-node.ts";

const ANSWER_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 120_000;

/** A baked image with what it takes to run it on this machine. */
export interface WarmNode {
  readonly baked: BakedImage;
  readonly node: SingleNode;
  readonly machine: readonly string[];
}

/** What this machine's engine wants of a node's container, or the reason why a baked node cannot start here. */
export async function askMachine(
  engine: ContainerEngine,
  host: Host,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | string> {
  if (engine.cli !== "docker") return `nodes are made by ${engine.cli}, not by Docker`;
  if (setsProxies(await dockerConfig(host))) return "Docker's client configuration sets proxies";
  const info = await engine.must("Cannot ask Docker", ["info", "--format", "{{json .}}"], {
    timeoutMs: ANSWER_TIMEOUT_MS,
    signal,
  });
  return machineArgs(info);
}

async function dockerConfig({ env }: Host): Promise<string> {
  const directory = env.DOCKER_CONFIG ?? (env.HOME ? join(env.HOME, ".docker") : undefined);
  if (!directory) return "";
  return readFile(join(directory, "config.json"), "utf8").catch(() => ""); // there need not be one
}

export interface StartNode {
  readonly clusterName: string;
  readonly warm: WarmNode;
  readonly network: string;
  /** Names that nodes reach without a proxy. */
  readonly direct: readonly string[];
  readonly record: RunRecord;
  readonly signal: AbortSignal;
}

/**
 * Runs a baked image as the only node of a cluster, as kind would, and waits until commands may be run in it.
 * Throws `EnvironmentError`; `CancelledError` when the signal fires. Whatever it leaves has kind's labels.
 */
export async function startNode(
  start: StartNode,
  engine: ContainerEngine,
  host: Host,
  hooks: BringUpHooks,
): Promise<void> {
  const { clusterName, record, signal } = start;
  const proxies = await proxiesOf(start, engine, host);
  await retryPassing(
    async (attempt) => {
      if (attempt > 1) await removeNodes(clusterName, engine, host.clock);
      const args = nodeRunArgs({
        ...{ clusterName, proxies, network: start.network },
        image: start.warm.baked.id,
        node: start.warm.node,
        machine: start.warm.machine,
        apiPort: await apiPort(start.warm.node),
        resolve: (path) => (isAbsolute(path) ? path : resolve(host.cwd, path)),
      });
      await record.add({ type: "making", name: clusterName, attempt });
      await engine.must(`Cannot start a baked node`, args, { timeoutMs: RUN_TIMEOUT_MS, signal });
      await record.add({ type: "made", name: clusterName, attempt });
    },
    hooks,
    { signal },
  );
  await bootedNode(nodeNameOf(clusterName), engine, signal);
}

async function apiPort({ apiServerAddress, apiServerPort }: SingleNode): Promise<number> {
  return apiServerPort === 0 ? await freePort(apiServerAddress) : Math.max(apiServerPort, 0);
}

async function proxiesOf(
  { clusterName, warm, network, direct, signal }: StartNode,
  engine: ContainerEngine,
  host: Host,
): Promise<Readonly<Record<string, string>>> {
  const { serviceSubnet, podSubnet } = warm.node;
  if (Object.keys(nodeProxies(host.env, [])).length === 0) return {};
  const subnets = await engine.must(
    `Cannot inspect the network ${network}`,
    ["network", "inspect", network, "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}"],
    { timeoutMs: ANSWER_TIMEOUT_MS, signal },
  );
  return nodeProxies(host.env, [
    ...[serviceSubnet, podSubnet, ...subnets.split(" ").filter(Boolean)],
    ...[nodeNameOf(clusterName), ...direct],
  ]);
}
