import { EnvironmentError } from "../errors.ts";
import type { Clock } from "../host/host.ts";
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

/** The exit status of a command in a node that ended with the node, or with the connection to the engine. */
const CUT_OFF = /\bexec --privileged .* exit status (137|255)\b/;
const ASK_EVERY_MS = 200;
const ASK_FOR_MS = 2000;

/**
 * Why a cluster came to nothing. kind's commands in a node just end when the node stops or the engine goes away, and what
 * kubeadm had said until then blames the control plane: then the nodes themselves are asked, for two seconds, since the
 * engine may take a moment to tell. Any other error as it is.
 */
export async function blameNodes(
  error: unknown,
  clusterName: string,
  engine: ContainerEngine,
  clock: Clock,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof CommandFailedError && CUT_OFF.test(error.output))) return error;
  try {
    for (let asked = 0; asked * ASK_EVERY_MS < ASK_FOR_MS && !signal.aborted; asked++) {
      if (asked > 0) await clock.sleep(ASK_EVERY_MS, signal);
      const nodes = await nodeContainersOf(clusterName, engine, signal, cannotCreate(clusterName));
      const stopped = nodes.find(({ running }) => !running);
      if (stopped) return new NodeStoppedError(clusterName, stopped.name, stopped.status);
    }
    return error;
  } catch (engineError) {
    return signal.aborted ? error : engineError;
  }
}
