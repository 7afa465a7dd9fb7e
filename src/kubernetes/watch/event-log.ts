import type { ClusterEvent } from "../api/api-object.ts";
import { eventTime } from "../readiness/events.ts";

const PER_OBJECT = 30;
const OBJECTS = 5_000;

/** The latest events of each object, as many as a verdict needs: a cluster may write ten thousand. */
export class EventLog {
  readonly #byObject = new Map<string, ClusterEvent[]>();
  /** The UID that events last gave for a kind, namespace and name. */
  readonly #uids = new Map<string, string>();

  /** Takes an event, or a newer state of one. */
  put(event: ClusterEvent): void {
    const { uid, kind, namespace, name } = event.involvedObject;
    if (uid === undefined) return;
    this.#uids.set(nameKey(kind, namespace, name), uid);
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
      for (const [key, known] of this.#uids) if (known === oldest) this.#uids.delete(key);
    }
  }

  /** Oldest first. */
  of(uid: string): readonly ClusterEvent[] {
    return this.#byObject.get(uid) ?? [];
  }

  /** About the object of that name, oldest first. */
  about(kind: string, namespace: string, name: string): readonly ClusterEvent[] {
    return this.of(this.#uids.get(nameKey(kind, namespace, name)) ?? "");
  }
}

const nameKey = (kind = "", namespace = "", name = "") => `${kind}/${namespace}/${name}`;
