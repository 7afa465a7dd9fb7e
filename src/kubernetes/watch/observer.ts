import type { Observation } from "../../model/event.ts";
import type { Pod } from "../api/api-object.ts";
import { timeOf } from "../api/api-object.ts";
import { containersOf, crashesOf, endsOf } from "../readiness/container.ts";
import type { Evidence, Judgement, Standing } from "../readiness/judgement.ts";
import { summarizePod } from "../readiness/pod.ts";
import { judgeResource } from "../readiness/resource.ts";
import { judgeLikeTilt } from "../readiness/tilt.ts";
import { type EvidenceSources, evidenceFrom } from "./evidence.ts";
import type { TrackedResource } from "./tracked-resource.ts";

/** How often a judgement that hopes for something is made again: it costs no request. */
const HOPE_MS = 500;

/** What time adds to the judgement of one resource: how long something has stood, how often something has crashed. */
export class Observer {
  readonly #resource: TrackedResource;
  readonly #semantics: "strict" | "tilt";
  readonly #evidence: Evidence;
  /** Monotonic ms at which each state of affairs that stands now began. */
  readonly #standingSince = new Map<string, number>();
  readonly #crashes = new Map<string, number>();
  readonly #endsBefore = new Map<string, number>();
  #last: string | undefined;
  /** The present judgement rests on something that may still come or go. */
  #hoping = false;

  constructor(resource: TrackedResource, semantics: "strict" | "tilt", sources: EvidenceSources) {
    this.#resource = resource;
    this.#semantics = semantics;
    this.#evidence = evidenceFrom(
      sources,
      (pod, container) => this.#endsBefore.get(`${pod} ${container}`) ?? 0,
      () => {
        this.#hoping = true;
      },
    );
  }

  /**
   * Judges the resource as the caches have it. `changed` tells whether that is news, `recheckInMs` when time alone may
   * change it. `now` is monotonic.
   */
  observe(now: number): {
    readonly observation: Observation;
    readonly pods: readonly Pod[];
    readonly changed: boolean;
    readonly recheckInMs: number | undefined;
  } {
    this.#hoping = false;
    const tilt = this.#semantics === "tilt";
    const pods = tilt ? this.#resource.podsLikeTilt() : this.#resource.pods();
    for (const pod of pods) this.#countCrashes(pod);
    const { mode, applied } = this.#resource.request;
    const judgement = tilt
      ? judgeLikeTilt({ mode, applied: applied.map(({ object }) => object), pods })
      : judgeResource(this.#resource.observe(), this.#evidence);
    const { settled, recheckInMs } = this.#settle(judgement, now);
    const observation = this.#toObservation(settled, pods);
    const text = JSON.stringify(observation);
    const changed = text !== this.#last;
    this.#last = text;
    return { observation, pods, changed, recheckInMs };
  }

  /** Turns a judgement that has stood long enough into what it becomes. */
  #settle(
    judgement: Judgement,
    now: number,
  ): { settled: Judgement; recheckInMs: number | undefined } {
    const standings = [
      ...(judgement.standing ? [judgement.standing] : []),
      ...(judgement.also ?? []),
    ];
    const keys = new Set(standings.map(({ key }) => key));
    for (const key of this.#standingSince.keys())
      if (!keys.has(key)) this.#standingSince.delete(key);
    for (const key of keys) if (!this.#standingSince.has(key)) this.#standingSince.set(key, now);
    const leftOf = ({ key, ms }: Standing) => this.#standingSince.get(key)! + ms - now;
    const ahead = standings.map(leftOf).filter((left) => left > 0);
    if (this.#hoping) ahead.push(HOPE_MS);
    const recheckInMs = ahead.length === 0 ? undefined : Math.min(...ahead);
    const { standing } = judgement;
    if (standing === undefined || leftOf(standing) > 0) return { settled: judgement, recheckInMs };
    const { failure, ...rest } = judgement;
    return standing.becomes === "ready"
      ? { settled: { ...rest, state: "ready" }, recheckInMs }
      : { settled: { ...judgement, state: "failed" }, recheckInMs };
  }

  #countCrashes(pod: Pod): void {
    const { uid, creationTimestamp, deletionTimestamp } = pod.metadata;
    // How a container takes its end is no crash.
    if (deletionTimestamp !== undefined) return;
    // Creation times are whole seconds.
    const deployedAt = Math.floor(this.#resource.request.deployedAt / 1000) * 1000;
    const old = (timeOf(creationTimestamp) ?? 0) < deployedAt;
    for (const view of containersOf(pod)) {
      const key = `${uid} ${view.status.name}`;
      if (!this.#endsBefore.has(key)) this.#endsBefore.set(key, old ? endsOf(view.status) : 0);
      const crashes = Math.max(crashesOf(view, this.#evidence), this.#crashes.get(key) ?? 0);
      if (crashes > 0) this.#crashes.set(key, crashes);
    }
  }

  #toObservation(judgement: Judgement, pods: readonly Pod[]): Observation {
    const { state, summary, failure, active = false, readySince } = judgement;
    return {
      state,
      summary,
      ...(failure === undefined || state === "ready" ? {} : { failure }),
      crashes: [...this.#crashes.values()].reduce((sum, count) => sum + count, 0),
      active,
      pods: pods.map(summarizePod),
      ...(readySince === undefined || state !== "ready" ? {} : { readySince }),
    };
  }
}
