import type { KubernetesObject, SecretValue } from "../model/plan.ts";
import { partsOfType } from "./kubernetes-walk.ts";

export const DEFAULT_NAMESPACE = "default";

/** The object's name; empty when it has none or one that is no text. */
export function objectName({ metadata }: KubernetesObject): string {
  return typeof metadata?.name === "string" ? metadata.name : "";
}

/** The namespace as written, else `default`: cluster-scoped objects count as in `default`, as in Tilt. */
export function objectNamespace({ metadata }: KubernetesObject): string {
  const namespace: unknown = metadata?.namespace;
  return typeof namespace === "string" && namespace !== "" ? namespace : DEFAULT_NAMESPACE;
}

/** The API group: empty for the core one. */
export function objectGroup({ apiVersion }: KubernetesObject): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** `name:kind:namespace` in lower case: the object's name in plans and reports. */
export function objectId(object: KubernetesObject): string {
  return `${objectName(object)}:${object.kind}:${objectNamespace(object)}`.toLowerCase();
}

/** `name:Kind:namespace`, colons in names escaped: what Tilt lists as fragments. */
export function objectFullName(object: KubernetesObject): string {
  return joinEscaped([objectName(object), object.kind, objectNamespace(object)]);
}

/** What an object can be called, shortest first: `name`, `name:kind`, `name:kind:namespace`, `…:group`, lower case. */
export function potentialNames(object: KubernetesObject): string[] {
  const parts = [
    objectName(object),
    object.kind,
    objectNamespace(object),
    objectGroup(object) || "core",
  ];
  const names: string[] = [];
  for (const part of parts.map((each) => escapePart(each).toLowerCase())) {
    names.push(names.length === 0 ? part : `${names.at(-1)}:${part}`);
  }
  return names;
}

/**
 * The names of workloads: each the shortest of its potential names that no other one could have, else the longest with
 * its index (tiltfile-api.md §10).
 */
export function uniqueNames(objects: readonly KubernetesObject[]): string[] {
  const names = objects.map(potentialNames);
  const counts = new Map<string, number>();
  for (const name of names.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return names.map((candidates, index) => {
    const shortest = candidates.find((name) => counts.get(name) === 1);
    return shortest || `${candidates.at(-1)}:${index}`;
  });
}

/** An object fragment that is none. */
export class FragmentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FragmentError";
  }
}

/**
 * Splits an object fragment: `name:kind:namespace`, with `\:` for a colon and `\\` for a backslash in a part.
 * @throws FragmentError in Tilt's words
 */
export function parseFragment(text: string): string[] {
  const parts = [""];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === ":") parts.push("");
    else if (char !== "\\") parts[parts.length - 1] += char;
    else {
      at += 1;
      const escaped = text[at];
      if (escaped === undefined) {
        throw new FragmentError(`string ends with escape character: '${text}'`);
      }
      if (escaped !== ":" && escaped !== "\\") {
        throw new FragmentError(
          `invalid escape sequence '\\${escaped}' in '${text.slice(0, at + 3)}'`,
        );
      }
      parts[parts.length - 1] += escaped;
    }
  }
  if (text === "") throw new FragmentError("selector can't be empty");
  if (parts.length <= 3) return parts;
  throw new FragmentError(
    `Too many parts in selector. Selectors must contain between 1 and 3 parts (colon separated), found ${parts.length} parts in ${text}`,
  );
}

/** Whether an object has the name, kind and namespace of a fragment's parts, whatever their case; empty ones match all. */
export function matchesFragment(object: KubernetesObject, parts: readonly string[]): boolean {
  const actual = [objectName(object), object.kind, objectNamespace(object)];
  return parts.every(
    (part, index) => part === "" || part.toLowerCase() === actual[index]!.toLowerCase(),
  );
}

function joinEscaped(parts: readonly string[]): string {
  return parts.map(escapePart).join(":");
}

function escapePart(part: string): string {
  return part.replace(/[\\:]/g, "\\$&");
}

type Labels = Readonly<Record<string, string>>;

/** The labels of each pod template in an object. */
export function podTemplateLabels(object: KubernetesObject): Labels[] {
  return partsOfType(object, "v1.PodTemplateSpec").map(
    (template) => (template.metadata as { labels?: Labels | null } | null)?.labels ?? {},
  );
}

/** The selector of a Service; undefined for other objects and for Services that select nothing. */
export function serviceSelector(object: KubernetesObject): Labels | undefined {
  if (object.apiVersion !== "v1" || object.kind !== "Service") return undefined;
  const selector = (object.spec as { selector?: Labels | null } | null | undefined)?.selector;
  return selector !== null && selector !== undefined && Object.keys(selector).length > 0
    ? selector
    : undefined;
}

/**
 * Whether all metadata in an object carry the labels: its own and those of its pod templates, as `filter_yaml` wants it.
 * Custom resources have no metadata that Tilt looks at, so that they always match.
 */
export function hasMetadataLabels(object: KubernetesObject, labels: Labels): boolean {
  return partsOfType(object, "v1.ObjectMeta").every((metadata) => {
    const actual = (metadata.labels ?? {}) as Labels;
    return Object.entries(labels).every(([key, value]) => actual[key] === value);
  });
}

const APPLY_ORDER = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "MutatingWebhookConfiguration",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "ConfigMap",
  "Secret",
  "Service",
  "LimitRange",
  "PriorityClass",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];
const APPLY_RANKS: ReadonlyMap<string, number> = new Map(
  APPLY_ORDER.map((kind, index) => [kind, index]),
);

/** How early a kind is applied: lower first, kinds without a rule last (tiltfile-api.md §10). */
export function applyRank(kind: string): number {
  return APPLY_RANKS.get(kind) ?? APPLY_ORDER.length;
}

/** Objects in the order in which they are applied; those of one rank stay in the order given. */
export function inApplyOrder<T>(items: readonly T[], objectOf: (item: T) => KubernetesObject): T[] {
  return [...items].sort(
    (left, right) => applyRank(objectOf(left).kind) - applyRank(objectOf(right).kind),
  );
}

/** The values of a Secret, decoded, for keeping them out of what is printed. */
export function secretValues(object: KubernetesObject): SecretValue[] {
  if (object.apiVersion !== "v1" || object.kind !== "Secret") return [];
  const secretName = objectName(object);
  const data = Object.entries((object.data ?? {}) as Record<string, string | null>);
  const stringData = Object.entries((object.stringData ?? {}) as Record<string, string | null>);
  return [
    ...data.map(([key, value]) => [key, Buffer.from(value ?? "", "base64").toString()] as const),
    ...stringData.map(([key, value]) => [key, value ?? ""] as const),
  ]
    .filter(([, value]) => value !== "")
    .map(([key, value]) => ({ secretName, key, value }));
}
