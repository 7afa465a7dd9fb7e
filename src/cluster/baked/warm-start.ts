import { CancelledError, EnvironmentError, messageOf } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ContainerEngine } from "../container-engine.ts";
import { type BringUpHooks, step } from "../hooks.ts";
import type { RunningCluster } from "../kind-follow.ts";
import { removeNodes } from "../remove.ts";
import { notWarm } from "./choose-warm.ts";
import { createBound, readBound } from "./create-bound.ts";
import { type StartNode, startNode } from "./start-node.ts";

/** A start takes 5 to 8 s; on a machine under heavy load 20. After this one `kind create` is the safer way. */
const WARM_TIMEOUT_MS = 60_000;

export interface WarmStart extends StartNode {
  /** Follows the node to a ready API server, and says so once `complete` has made the cluster whole. */
  follow(
    signal: AbortSignal,
    complete: (running: RunningCluster) => Promise<void>,
  ): Promise<RunningCluster>;
}

/**
 * Starts a cluster from a baked node. Answers `undefined`, with a warning and nothing left, when it does not come up:
 * kind can then make it. Throws `CancelledError`, and what is wrong with the engine itself.
 */
export async function warmStart(
  start: WarmStart,
  engine: ContainerEngine,
  host: Host,
  hooks: BringUpHooks,
): Promise<RunningCluster | undefined> {
  const { clusterName } = start;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), WARM_TIMEOUT_MS);
  const signal = AbortSignal.any([start.signal, limit.signal]);
  try {
    await step("baked node", hooks, host.clock, () =>
      startNode({ ...start, signal }, engine, host, hooks),
    );
    const bound = readBound(clusterName, engine, signal);
    bound.catch(() => {}); // awaited below
    return await start.follow(signal, async (running) => {
      const { address, file } = await bound;
      await step("objects of the cluster", hooks, host.clock, () =>
        createBound(file, running, { cluster: clusterName, address }, host.clock, signal),
      );
    });
  } catch (error) {
    if (start.signal.aborted) throw new CancelledError();
    const reason = limit.signal.aborted
      ? new EnvironmentError(`it is not ready after ${WARM_TIMEOUT_MS / 1000} s`)
      : error;
    hooks.onWarning?.(notWarm(messageOf(reason)));
    await removeNodes(clusterName, engine, host.clock);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
