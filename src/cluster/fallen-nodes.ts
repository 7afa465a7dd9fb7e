import { EnvironmentError } from "../errors.ts";
import { CommandFailedError, type ContainerEngine } from "./container-engine.ts";
import { nodeContainersOf } from "./node-containers.ts";

/** A node's container ended while the cluster was made. */
export class NodeStoppedError extends EnvironmentError {
  constructor(clusterName: string, node: string, status: string) {
    super(`${cannotCreate(clusterName)}: its node ${node} stopped: ${status}`, {
      hint: "Something on this machine stopped it, or it ran out of memory (137): see docker events and the kernel's log",
    });
  }
}

export function cannotCreate(clusterName: string): string {
  return `Cannot create the cluster ${clusterName}`;
}

/**
 * Why a cluster came to nothing. kind's commands in a node just end when the node stops or the engine goes away, and what
 * kubeadm had said until then blames the control plane: then the nodes themselves are asked. Any other error as it is.
 */
export async function blameNodes(
  error: unknown,
  clusterName: string,
  engine: ContainerEngine,
  signal: AbortSignal,
): Promise<unknown> {
  const cutOff = error instanceof CommandFailedError && /\bexec --privileged\b/.test(error.output);
  if (!cutOff || signal.aborted) return error;
  try {
    const nodes = await nodeContainersOf(clusterName, engine, signal, cannotCreate(clusterName));
    const stopped = nodes.find(({ running }) => !running);
    return stopped ? new NodeStoppedError(clusterName, stopped.name, stopped.status) : error;
  } catch (engineError) {
    return engineError;
  }
}
