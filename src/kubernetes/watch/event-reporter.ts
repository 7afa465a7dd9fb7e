import type { RunEvent } from "../../model/event.ts";
import type { ClusterEvent, Pod } from "../api/api-object.ts";
import { eventCount, eventTime } from "../readiness/events.ts";
import type { EventLog } from "./event-log.ts";
import type { ObjectStore } from "./object-store.ts";
import type { TrackedResource } from "./tracked-resource.ts";

/** Clocks of cluster and run, and the whole seconds of event times. */
const SKEW_MS = 2_000;
/** Normal events that are worth a word (ci-engine.md §13). */
const NOTABLE = ["Pulling", "Pulled"];

/** Passes on the events about a resource's objects and pods, each once a count, none from before the deploy. */
export class EventReporter {
  readonly #report: (event: Extract<RunEvent, { readonly type: "cluster-event" }>) => void;
  readonly #counts = new Map<string, number>();

  constructor(report: (event: Extract<RunEvent, { readonly type: "cluster-event" }>) => void) {
    this.#report = report;
  }

  /** Looks for events that are news. To be called when a resource, its pods or their events have changed. */
  report(
    resource: TrackedResource,
    pods: readonly Pod[],
    events: EventLog,
    store: ObjectStore,
  ): void {
    const uids = new Set(resource.uids());
    for (const uid of resource.uids())
      for (const { metadata } of store.childrenOf(uid)) uids.add(metadata.uid);
    for (const { metadata } of pods) uids.add(metadata.uid);
    for (const uid of uids) for (const event of events.of(uid)) this.#reportOne(resource, event);
  }

  #reportOne({ request }: TrackedResource, event: ClusterEvent): void {
    const { reason = "", message = "", type, involvedObject, metadata } = event;
    if (type === "Normal" && !NOTABLE.includes(reason)) return;
    const count = eventCount(event);
    if ((this.#counts.get(metadata.uid) ?? 0) >= count) return;
    this.#counts.set(metadata.uid, count);
    const at = eventTime(event) ?? Date.now();
    if (at < request.deployedAt - SKEW_MS) return;
    const { kind, namespace = "", name } = involvedObject;
    this.#report({
      type: "cluster-event",
      at,
      resource: request.name,
      object: `${kind}/${namespace}/${name}`,
      reason,
      message,
      warning: type === "Warning",
      count,
    });
  }
}
