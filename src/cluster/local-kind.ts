import type { Host } from "../host/host.ts";
import { containerEngine } from "./container-engine.ts";
import { nodeContainersOf, runningNodes } from "./node-containers.ts";
import { routesReady } from "./service-routes.ts";

/** A kind cluster that is not ours, whose nodes run on this machine's container engine. */
export interface LocalKind {
  /**
   * Resolves when every node leads these cluster IPs of Services to a pod, or gives up on it: after `blindMs` where the
   * nodes' rules cannot be read. Never rejects.
   */
  routes(addresses: readonly string[], blindMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * The kind cluster of that name (without `kind-`) if the API server at `server` is the one that its nodes here publish:
 * a cluster elsewhere may have the same name. Undefined: it is not here, or nobody can say. Never rejects.
 */
export async function findLocalKind(
  name: string,
  server: URL,
  host: Host,
  signal: AbortSignal,
): Promise<LocalKind | undefined> {
  const engine = containerEngine(host);
  const containers = await nodeContainersOf(name, engine, signal).catch(() => []);
  if (!containers.some(({ apiAddress }) => apiAddress === server.host)) return undefined;
  const nodes = runningNodes(containers);
  return {
    routes: (addresses, blindMs, stop) =>
      // a node that cannot be asked, or a run that ends: those who wait find out by themselves
      routesReady(nodes, addresses, engine, host.clock, { signal: stop, blindMs }).catch(() => {}),
  };
}
