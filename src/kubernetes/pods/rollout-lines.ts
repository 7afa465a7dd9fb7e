import { conditionOf, type Pod, timeOf } from "../api/api-object.ts";
import type { TrackRequest } from "../watch/tracked-resource.ts";
import type { PodLogLine } from "../watch/watcher-options.ts";

interface Progress {
  readonly said: Set<string>;
  since: number;
}

/** Says of each pod when it was scheduled, initialised and ready, as `tilt ci` does. */
export class RolloutLines {
  readonly #startedAt: () => number;
  readonly #onLine: (line: PodLogLine) => void | Promise<void>;
  readonly #pods = new Map<string, Progress>();

  constructor(startedAt: () => number, onLine: (line: PodLogLine) => void | Promise<void>) {
    this.#startedAt = startedAt;
    this.#onLine = onLine;
  }

  /** Takes in the present state of a pod. */
  update(resource: TrackRequest, pod: Pod): void {
    const { uid, name, creationTimestamp } = pod.metadata;
    const createdAt = timeOf(creationTimestamp) ?? Date.now();
    let progress = this.#pods.get(uid);
    if (progress === undefined) {
      progress = { said: new Set(), since: createdAt };
      this.#pods.set(uid, progress);
      const old = createdAt < this.#startedAt() - 1000;
      this.#say(
        resource,
        pod,
        old
          ? `Attaching to existing pod (${name}). Only new logs will be streamed.`
          : `Tracking new pod rollout (${name}):`,
      );
      if (old) for (const step of ["Scheduled", "Initialized", "Ready"]) progress.said.add(step);
    }
    this.#step(resource, pod, progress, "Scheduled", "PodScheduled");
    this.#step(resource, pod, progress, "Initialized", "Initialized");
    if (pod.status?.phase !== "Succeeded") this.#step(resource, pod, progress, "Ready", "Ready");
    else if (!progress.said.has("Ready")) this.#finish(resource, pod, progress);
  }

  #step(resource: TrackRequest, pod: Pod, progress: Progress, label: string, type: string): void {
    const condition = conditionOf(pod.status?.conditions, type);
    if (condition?.status !== "True" || progress.said.has(label)) return;
    progress.said.add(label);
    const at = timeOf(condition.lastTransitionTime) ?? progress.since;
    this.#say(resource, pod, `     ┊ ${label.padEnd(15)} - ${seconds(at - progress.since)}`);
    progress.since = Math.max(at, progress.since);
  }

  #finish(resource: TrackRequest, pod: Pod, progress: Progress): void {
    progress.said.add("Ready");
    this.#say(
      resource,
      pod,
      `     ┊ ${"Completed".padEnd(15)} - ${seconds(Date.now() - progress.since)}`,
    );
  }

  #say({ name, mode }: TrackRequest, { metadata }: Pod, text: string): void {
    void this.#onLine({
      at: Date.now(),
      resource: name,
      phase: mode === "succeeded" ? "job" : "ready",
      level: "info",
      source: "runtime",
      text,
      pod: metadata.name,
      namespace: metadata.namespace ?? "",
      container: "",
    });
  }
}

const seconds = (ms: number) => (ms < 1000 ? "<1s" : `${Math.round(ms / 1000)}s`);
