import { EnvironmentError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { containerEngine } from "./container-engine.ts";
import { nodeContainersOf, runningNodes } from "./node-containers.ts";
import { importIntoNodes } from "./node-images.ts";

/**
 * Imports a `docker save` archive into the nodes of a kind cluster that is not ours, as `kind load image-archive` does.
 * Throws `EnvironmentError` when its nodes are not on this machine's Docker.
 */
export async function importIntoKindCluster(
  clusterName: string,
  open: () => AsyncIterable<Uint8Array>,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  const engine = containerEngine(host);
  const nodes = runningNodes(await nodeContainersOf(clusterName, engine, signal));
  if (nodes.length === 0)
    throw new EnvironmentError(
      `Cluster ${clusterName} announces no registry, and ${engine.cli} has no nodes of it to load images into`,
      { hint: "Give a registry that it can pull from with --registry HOST or default_registry()" },
    );
  await importIntoNodes(nodes, open, engine, signal);
}
