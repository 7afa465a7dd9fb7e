import type { ClusterEvent } from "../api/api-object.ts";
import { eventTime } from "../readiness/events.ts";

const PER_OBJECT = 30;
const OBJECTS = 5_000;

/** The latest events of each object, as many as a verdict needs: a cluster may write ten thousand. */
export class EventLog {
  readonly #byObject = new Map<string, ClusterEvent[]>();

  /** Takes an event, or a newer state of one. */
  put(event: ClusterEvent): void {
    const { uid } = event.involvedObject;
    if (uid === undefined) return;
    const others = (this.#byObject.get(uid) ?? []).filter(
      ({ metadata }) => metadata.uid !== event.metadata.uid,
    );
    // Times are whole seconds: among equals, the last to arrive is the latest.
    const at = eventTime(event) ?? 0;
    const later = others.findIndex((other) => (eventTime(other) ?? 0) > at);
    others.splice(later < 0 ? others.length : later, 0, event);
    this.#byObject.delete(uid);
    this.#byObject.set(uid, others.slice(-PER_OBJECT));
    if (this.#byObject.size > OBJECTS) {
      const [oldest] = this.#byObject.keys();
      this.#byObject.delete(oldest!);
    }
  }

  /** Oldest first. */
  of(uid: string): readonly ClusterEvent[] {
    return this.#byObject.get(uid) ?? [];
  }
}
