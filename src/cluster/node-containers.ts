import type { ContainerEngine } from "./container-engine.ts";
import { KIND_CLUSTER_LABEL } from "./names.ts";

/** A container that kind made for a cluster. */
export interface NodeContainer {
  readonly name: string;
  readonly role: "control-plane" | "worker" | "load-balancer";
  readonly running: boolean;
  /** In Docker's words: `Exited (137) 2 seconds ago`. */
  readonly status: string;
  /** `127.0.0.1:34851`, where the API server is published, if it is here. */
  readonly apiAddress?: string;
}

const ANSWER_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 60_000;

/** The containers of a cluster, running or not, by kind's label. Throws `CommandFailedError` that says `what` was not done. */
export async function nodeContainersOf(
  clusterName: string,
  engine: ContainerEngine,
  signal?: AbortSignal,
  what = `Cannot list the nodes of ${clusterName}`,
): Promise<readonly NodeContainer[]> {
  const text = await engine.must(
    what,
    [
      "ps",
      "--all",
      ...["--filter", `label=${KIND_CLUSTER_LABEL}=${clusterName}`],
      ...["--format", "{{.Names}}\t{{.Status}}\t{{.Ports}}"],
    ],
    { timeoutMs: ANSWER_TIMEOUT_MS, signal },
  );
  return parseNodeContainers(text);
}

/** Names of those that run Kubernetes now: without the load balancer. */
export function runningNodes(containers: readonly NodeContainer[]): readonly string[] {
  return containers
    .filter(({ role, running }) => running && role !== "load-balancer")
    .map(({ name }) => name);
}

/** Starts stopped nodes again. Why that cannot be, or undefined when they run. */
export async function startNodes(
  nodes: readonly NodeContainer[],
  engine: ContainerEngine,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (nodes.length === 0) return undefined;
  const { exitCode, stderr } = await engine.run(["start", ...nodes.map(({ name }) => name)], {
    timeoutMs: START_TIMEOUT_MS,
    signal,
  });
  return exitCode === 0 ? undefined : stderr.trim().split("\n")[0];
}

/** The output of `docker ps --format "{{.Names}}\t{{.Status}}\t{{.Ports}}"`. */
export function parseNodeContainers(text: string): readonly NodeContainer[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [name = "", status = "", ports = ""] = line.split("\t");
      const apiAddress = /([\d.]+|\[?[0-9a-f:]+\]?):(\d+)->6443\/tcp/.exec(ports);
      return {
        name,
        role: roleOf(name),
        running: status.startsWith("Up") && !status.endsWith("(Paused)"),
        status,
        ...(apiAddress ? { apiAddress: reachable(apiAddress[1] ?? "", apiAddress[2] ?? "") } : {}),
      };
    });
}

/** kind names its containers `CLUSTER-ROLE` and a number from the second on; the load balancer takes the API's port. */
function roleOf(name: string): NodeContainer["role"] {
  if (name.endsWith("-external-load-balancer")) return "load-balancer";
  return /-worker\d*$/.test(name) ? "worker" : "control-plane";
}

/** An address to dial: what listens everywhere is also on loopback. */
function reachable(address: string, port: string): string {
  if (address === "0.0.0.0") return `127.0.0.1:${port}`;
  if (address === "::" || address === "[::]") return `[::1]:${port}`;
  return `${address}:${port}`;
}
