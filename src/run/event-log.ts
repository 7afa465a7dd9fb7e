import type { RunEvent } from "../model/event.ts";

/** The append-only log of a run: whoever wants to know listens. */
export interface EventLog {
  readonly events: readonly RunEvent[];
  append(event: RunEvent): void;
  /** Listeners are called in the order they came, synchronously, once an event stands in the log. */
  listen(listener: (event: RunEvent) => void): () => void;
}

export function createEventLog(): EventLog {
  const events: RunEvent[] = [];
  const listeners = new Set<(event: RunEvent) => void>();
  return {
    events,
    append(event) {
      events.push(event);
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
