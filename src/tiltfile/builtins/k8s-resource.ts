import type { PortForward, ReadinessMode } from "../../model/plan.ts";
import {
  elementsOf,
  goTypeName,
  isInt,
  isSequence,
  isString,
  reprText,
  StarlarkDict,
  StarlarkList,
  type StarlarkObject,
  toJsString,
  typeName,
  types,
  type Value,
} from "../../starlark/index.ts";
import { kinds, labelled, stringsNamed } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { goQuote } from "../go/quote.ts";
import { checkUrl } from "../link.ts";
import { textOf } from "../values/blob.ts";
import { PortForwardValue } from "../values/port-forward.ts";

const MAX_PORT = 65535;
const HOST_PATTERN =
  /^(?:(?:(?:\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])\.){3}(?:\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])|(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])\.)*(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))$/;

const K8S_RESOURCE = {
  "workload?": kinds.resourceName,
  "new_name?": kinds.resourceName,
  "port_forwards?": types.value,
  "extra_pod_selectors?": types.value,
  "trigger_mode?": kinds.triggerMode,
  "resource_deps?": kinds.sequence,
  "objects?": kinds.sequence,
  "auto_init?": kinds.optionalBool,
  "pod_readiness?": podReadiness,
  "links?": kinds.links,
  "labels?": kinds.labels,
  "discovery_strategy?": discoveryStrategy,
} as const;

const PORT_FORWARD = {
  local_port: types.int,
  "container_port?": types.int,
  "name?": types.string,
  "link_path?": types.string,
  "host?": types.string,
} as const;

/** k8s_resource and port_forward. */
export function k8sResourceBuiltins(evaluation: Evaluation): BuiltinTable {
  return {
    k8s_resource: (call) => recordK8sResource(evaluation, call),
    port_forward(call) {
      const given = call.unpack(PORT_FORWARD);
      if (given.link_path) {
        labelled("parsing `path` param", () => checkUrl(given.link_path ?? ""));
      }
      return new PortForwardValue({
        localPort: given.local_port,
        containerPort: given.container_port ?? 0,
        ...(given.host ? { host: given.host } : {}),
        ...(given.name ? { name: given.name } : {}),
        ...(given.link_path ? { linkPath: given.link_path } : {}),
      });
    },
  };
}

function recordK8sResource(evaluation: Evaluation, call: Call): Value {
  const given = call.unpack(K8S_RESOURCE);
  const workload = given.workload ?? "";
  const newName = given.new_name ?? "";
  const shownName = workload || newName;
  if (shownName === "") {
    throw new Error(
      "Resource name missing. Must give a name for an existing resource or a new_name to create a new resource.",
    );
  }
  const portForwards = labelled(`${call.name} ${goQuote(shownName)}`, () =>
    toPortForwards(given.port_forwards),
  );
  const extraPodSelectors = podSelectors(given.extra_pod_selectors);
  const resourceDeps = stringsNamed(`${call.name}: resource_deps`, given.resource_deps);
  // Tilt names the wrong parameter here.
  const objects = stringsNamed(`${call.name}: resource_deps`, given.objects);
  if (workload === "" && objects.length === 0) {
    throw new Error(
      "k8s_resource doesn't specify a workload or any objects. All non-workload resources must specify 1 or more objects",
    );
  }
  evaluation.k8sResources.push({
    position: call.site(),
    workload,
    newName,
    objects,
    portForwards,
    extraPodSelectors,
    ...(given.trigger_mode ? { triggerMode: given.trigger_mode } : {}),
    resourceDeps,
    ...(given.auto_init === undefined ? {} : { autoInit: given.auto_init }),
    ...(given.pod_readiness ? { podReadiness: given.pod_readiness } : {}),
    links: given.links ?? [],
    labels: given.labels ?? [],
    ...(given.discovery_strategy ? { discoveryStrategy: given.discovery_strategy } : {}),
  });
  return null;
}

/** The `pod_readiness` parameter; undefined for an empty string. */
export function podReadiness(value: Value): ReadinessMode | undefined {
  const mode = textOf(value);
  if (mode === undefined) throw new Error(`Must be a string. Got: ${typeName(value)}`);
  if (mode === "ignore" || mode === "wait" || mode === "succeeded") return mode;
  if (mode === "") return undefined;
  throw new Error(`Invalid value. Allowed: {ignore, wait}. Got: ${mode}`);
}

function discoveryStrategy(value: Value): "default" | "selectors-only" | undefined {
  const strategy = textOf(value);
  if (strategy === undefined) throw new Error(`Must be a string. Got: ${typeName(value)}`);
  if (strategy === "default" || strategy === "selectors-only") return strategy;
  if (strategy === "") return undefined;
  throw new Error(`Invalid. Must be one of: "default", "selectors-only"`);
}

function podSelectors(value: Value | undefined): Record<string, string>[] {
  if (value === undefined) return [];
  if (value instanceof StarlarkDict) return nonEmpty(labelSet(value));
  if (!(value instanceof StarlarkList)) {
    throw new Error(`pod labels must be a dict or a list; got ${goTypeName(value)}`);
  }
  return [...value.elems].flatMap((element) => {
    if (!(element instanceof StarlarkDict)) {
      throw new Error(`pod labels elements must be dicts; got ${goTypeName(element)}`);
    }
    return nonEmpty(labelSet(element));
  });
}

function nonEmpty(set: Record<string, string>): Record<string, string>[] {
  return Object.keys(set).length > 0 ? [set] : [];
}

function labelSet(dict: StarlarkDict): Record<string, string> {
  const labelText = (part: "keys" | "values", value: Value) => {
    if (isString(value)) return toJsString(value);
    throw new Error(
      `pod label ${part} must be strings; got '${reprText(value)}' of type ${goTypeName(value)}`,
    );
  };
  return Object.fromEntries(
    dict.entries().map(([key, value]) => [labelText("keys", key), labelText("values", value)]),
  );
}

function toPortForwards(value: Value | undefined): PortForward[] {
  if (value === undefined || value === null) return [];
  const single = toPortForward(value);
  if (single !== undefined) return [single];
  if (!isSequence(value)) {
    throw new Error(
      `port_forwards must be an int, a port_forward, or a sequence of those; is a ${goTypeName(value)}`,
    );
  }
  return (elementsOf(value as StarlarkObject) ?? []).map((element) => {
    const forward = toPortForward(element);
    if (forward !== undefined) return forward;
    throw new Error(
      `port_forwards arg ${reprText(value)} includes element ${reprText(element)} which must be an int or a port_forward; is a ${goTypeName(element)}`,
    );
  });
}

function toPortForward(value: Value): PortForward | undefined {
  if (value instanceof PortForwardValue) return value.content;
  if (isString(value)) return parsePortForward(toJsString(value));
  if (!isInt(value)) return undefined;
  if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
    throw new Error(`portForward port value ${value} is not representable as an int64`);
  }
  if (value < 0 || value > MAX_PORT) {
    throw new Error(`portForward port value ${value} is not in the valid range [0-65535]`);
  }
  return { localPort: Number(value), containerPort: 0 };
}

/** `LOCAL`, `LOCAL:CONTAINER` or `HOST:LOCAL:CONTAINER`. */
function parsePortForward(text: string): PortForward {
  const [first = "", second, ...rest] = text.split(":");
  const hasHost = rest.length > 0;
  const local = hasHost ? (second ?? "") : first;
  if (hasHost && !HOST_PATTERN.test(first)) {
    throw new Error(
      `portForward host value ${goQuote(local)} is not a valid hostname or IP address`,
    );
  }
  const localPort = parsePort(local);
  const container = hasHost ? rest.join(":") : second;
  const containerPort = container === undefined ? 0 : parsePort(container);
  return { localPort, containerPort, ...(hasHost ? { host: first } : {}) };
}

function parsePort(text: string): number {
  const port = /^[+-]?\d+$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > MAX_PORT) {
    throw new Error(`portForward port value ${goQuote(text)} is not in the valid range [0-65535]`);
  }
  return port;
}
