import type { Pod } from "../api/api-object.ts";
import { timeOf } from "../api/api-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { containersOf } from "../readiness/container.ts";
import type { TrackRequest } from "../watch/tracked-resource.ts";
import type { ContainerRestart, PodLogLine } from "../watch/watcher-options.ts";
import { ContainerLog } from "./container-log.ts";
import { RolloutLines } from "./rollout-lines.ts";

export interface PodLogsOptions {
  /** Epoch ms by the server's clock; of pods that are older, only lines from then on are read. */
  readonly startedAt: () => number;
  readonly onLine: (line: PodLogLine) => void | Promise<void>;
  readonly onRestart: (restart: ContainerRestart) => void;
}

/** Containers of service meshes, of no interest to those who wait for their own (ci-engine.md §13). */
const MESH_CONTAINERS = ["istio-init", "istio-proxy", "linkerd-init", "linkerd-proxy"];
const FLUSH_STEP_MS = 25;

/** The logs of all containers of all pods of a run. */
export class PodLogs {
  readonly #connection: KubernetesConnection;
  readonly #options: PodLogsOptions;
  readonly #logs = new Map<string, ContainerLog>();
  readonly #restarts = new Map<string, number>();
  readonly #rollout: RolloutLines;

  constructor(connection: KubernetesConnection, options: PodLogsOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#rollout = new RolloutLines(options.startedAt, options.onLine);
  }

  /** Takes in the pods that a resource has now. Pods that it has no more are read to their end. */
  follow(resource: TrackRequest, pods: readonly Pod[]): void {
    for (const pod of pods) {
      this.#rollout.update(resource, pod);
      for (const { status, init } of containersOf(pod)) {
        if (MESH_CONTAINERS.includes(status.name)) continue;
        this.#noteRestarts(resource.name, pod, status);
        const key = `${pod.metadata.uid} ${status.name}`;
        let log = this.#logs.get(key);
        if (log === undefined && status.containerID !== undefined && status.containerID !== "") {
          log = this.#open(resource, pod, status.name, init);
          this.#logs.set(key, log);
        }
        log?.update(status);
      }
    }
  }

  /** Resolves when every log has brought what was written so far (`ContainerLog.isCaughtUp()`), or after `deadlineMs`. */
  async flush(deadlineMs: number, quietMs: number): Promise<void> {
    const startedAt = performance.now();
    const giveUpAt = startedAt + deadlineMs;
    const behind = () =>
      [...this.#logs.values()].some((log) => !log.isCaughtUp(quietMs, startedAt));
    while (behind() && performance.now() < giveUpAt)
      await new Promise((resolve) => setTimeout(resolve, FLUSH_STEP_MS));
  }

  close(): void {
    for (const log of this.#logs.values()) log.close();
  }

  #open(resource: TrackRequest, pod: Pod, container: string, init: boolean): ContainerLog {
    const { namespace = "", name } = pod.metadata;
    const { onLine } = this.#options;
    const startedAt = this.#options.startedAt();
    const many = (pod.spec?.containers?.length ?? 0) > 1;
    const prefix = init || many ? `[${container}] ` : "";
    const old = this.#isOld(pod);
    return new ContainerLog(this.#connection, {
      namespace,
      pod: name,
      container,
      since: old ? new Date(startedAt).toISOString().replace(/\.\d+/, "") : undefined,
      onLine: (text, at) =>
        onLine({
          at,
          resource: resource.name,
          phase: resource.mode === "succeeded" ? "job" : "ready",
          level: "info",
          source: "runtime",
          text: prefix + text,
          pod: name,
          namespace,
          container,
        }),
    });
  }

  /** Whether a pod was there before the run. Creation times are whole seconds. */
  #isOld({ metadata }: Pod): boolean {
    const startedAt = this.#options.startedAt();
    return (timeOf(metadata.creationTimestamp) ?? startedAt) < startedAt - 1000;
  }

  #noteRestarts(
    resource: string,
    pod: Pod,
    { name, restartCount }: { readonly name: string; readonly restartCount: number },
  ): void {
    const key = `${pod.metadata.uid} ${name}`;
    const before = this.#restarts.get(key) ?? (this.#isOld(pod) ? restartCount : 0);
    this.#restarts.set(key, restartCount);
    if (restartCount <= before) return;
    this.#options.onRestart({
      resource,
      pod: pod.metadata.name,
      container: name,
      restarts: restartCount,
    });
  }
}
