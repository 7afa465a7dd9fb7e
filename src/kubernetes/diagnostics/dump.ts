import { dump } from "js-yaml";
import type { ApiObject, ClusterEvent, Node } from "../api/api-object.ts";
import { eventCount, eventTime } from "../readiness/events.ts";

/** An object as YAML for people: without bookkeeping, and of Secrets only how long the values are. */
export function dumpObject(object: ApiObject): string {
  const {
    managedFields: _,
    annotations,
    ...metadata
  } = object.metadata as ApiObject["metadata"] & {
    readonly managedFields?: unknown;
  };
  const shown = Object.entries(annotations ?? {}).filter(
    ([name]) => name !== "kubectl.kubernetes.io/last-applied-configuration",
  );
  const slim = {
    ...redact(object),
    metadata: {
      ...metadata,
      ...(shown.length === 0 ? {} : { annotations: Object.fromEntries(shown) }),
    },
  };
  return dump(slim, { noRefs: true, lineWidth: 140, skipInvalid: true });
}

function redact(object: ApiObject): ApiObject {
  if (object.kind !== "Secret") return object;
  const secret = object as ApiObject & { data?: Record<string, string>; stringData?: unknown };
  const { data = {}, stringData: _, ...rest } = secret;
  const lengths = Object.entries(data).map(([key, value]) => [
    key,
    `[redacted, ${Buffer.from(value, "base64").length} bytes]`,
  ]);
  return { ...rest, data: Object.fromEntries(lengths) } as ApiObject;
}

/** Events as a table, oldest first. */
export function formatEvents(events: readonly ClusterEvent[]): string {
  return events
    .toSorted((a, b) => (eventTime(a) ?? 0) - (eventTime(b) ?? 0))
    .map((event) => {
      const at = eventTime(event);
      const { kind, name } = event.involvedObject;
      const count = eventCount(event);
      const text = (event.message ?? "").replace(/\s*\n\s*/g, " ");
      return [
        at === undefined ? "" : new Date(at).toISOString(),
        event.type ?? "",
        `${kind}/${name}`,
        event.reason ?? "",
        `${text}${count > 1 ? ` (${count} times)` : ""}`,
      ].join("  ");
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** Conditions, taints and room of a node. */
export function formatNode({ metadata, spec = {}, status = {} }: Node): string {
  const conditions = (status.conditions ?? []).map(
    ({ type, status: value, reason, message }) =>
      `  ${type}=${value}  ${reason ?? ""}  ${message ?? ""}`,
  );
  const taints = (spec.taints ?? []).map(
    ({ key, value, effect }) => `  ${key}${value ? `=${value}` : ""}:${effect}`,
  );
  const room = Object.entries(status.allocatable ?? {}).map(
    ([name, value]) => `  ${name}: ${value}`,
  );
  return [
    `Node ${metadata.name}${spec.unschedulable ? " (cordoned)" : ""}`,
    "Conditions:",
    ...conditions,
    ...(taints.length === 0 ? [] : ["Taints:", ...taints]),
    "Allocatable:",
    ...room,
    "",
  ].join("\n");
}
