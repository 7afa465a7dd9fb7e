import { type ClusterEvent, timeOf } from "../api/api-object.ts";

/** Epoch ms at which an event was last seen, as far as it says. */
export function eventTime(event: ClusterEvent): number | undefined {
  return (
    timeOf(event.series?.lastObservedTime) ??
    timeOf(event.lastTimestamp) ??
    timeOf(event.eventTime) ??
    timeOf(event.firstTimestamp) ??
    timeOf(event.metadata.creationTimestamp)
  );
}

/** Epoch ms at which an event was first seen, as far as it says: since when a failure that it tells of could be known. */
export function firstEventTime(event: ClusterEvent): number | undefined {
  return timeOf(event.firstTimestamp) ?? timeOf(event.eventTime) ?? eventTime(event);
}

/** How often an event was seen. */
export function eventCount(event: ClusterEvent): number {
  return event.series?.count ?? event.count ?? 1;
}

/** The latest event with one of these reasons that a test accepts. */
export function latestEvent(
  events: readonly ClusterEvent[],
  reasons: readonly string[],
  accept: (event: ClusterEvent) => boolean = () => true,
): ClusterEvent | undefined {
  return events.findLast((event) => reasons.includes(event.reason ?? "") && accept(event));
}
