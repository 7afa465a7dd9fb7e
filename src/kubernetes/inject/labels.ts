import { createHash } from "node:crypto";
import { type JsonStruct, partsOfType } from "../../manifests/kubernetes-walk.ts";
import type { KubernetesObject } from "../../model/plan.ts";
import { toJson } from "../api/json.ts";

/** Marks the pods of one deploy. */
export const TEMPLATE_HASH_LABEL = "tilt.dev/pod-template-hash";

const MANAGED_BY = "app.kubernetes.io/managed-by";
const MANAGER = "tilt";
const HASH_LENGTH = 20;

/**
 * Sets `app.kubernetes.io/managed-by: tilt` on the object and its pod templates; selectors that name the label follow.
 * Claim templates are left alone: they cannot be changed in a StatefulSet that exists.
 */
export function labelAsManaged(object: KubernetesObject): void {
  for (const template of templatesOf(object)) template.metadata ??= {};
  const claims =
    object.kind === "PersistentVolumeClaim" ? [] : partsOfType(object, "v1.PersistentVolumeClaim");
  const claimMetadata = new Set(claims.map(({ metadata }) => metadata));
  const all = new Set<unknown>([object.metadata, ...partsOfType(object, "v1.ObjectMeta")]);
  for (const metadata of all)
    if (!claimMetadata.has(metadata)) setLabel(metadata as JsonStruct, MANAGED_BY, MANAGER);
  for (const selector of selectorsOf(object))
    if (MANAGED_BY in selector) selector[MANAGED_BY] = MANAGER;
}

/** Labels each pod template with a hash of itself. To be called last. */
export function addTemplateHashes(object: KubernetesObject): void {
  for (const template of partsOfType(object, "v1.PodTemplateSpec")) {
    const hash = createHash("sha1")
      .update(toJson(sorted(template)))
      .digest("hex");
    template.metadata ??= {};
    setLabel(template.metadata as JsonStruct, TEMPLATE_HASH_LABEL, hash.slice(0, HASH_LENGTH));
  }
}

function templatesOf(object: KubernetesObject): JsonStruct[] {
  return [
    ...partsOfType(object, "v1.PodTemplateSpec"),
    ...partsOfType(object, "v1.JobTemplateSpec").flatMap((template) => [
      template,
      ...nestedTemplates(template),
    ]),
  ];
}

/** Nothing is looked for inside of a part that was found: a CronJob's pod template is one further down. */
function nestedTemplates({ spec }: JsonStruct): JsonStruct[] {
  const { template } = (spec ?? {}) as { template?: JsonStruct };
  return template === undefined ? [] : [template];
}

function selectorsOf(object: KubernetesObject): JsonStruct[] {
  const labels = partsOfType(object, "v1.LabelSelector").map(({ matchLabels }) => matchLabels);
  const { selector } = (object.spec ?? {}) as { selector?: unknown };
  const plain =
    object.apiVersion === "v1" && ["Service", "ReplicationController"].includes(object.kind)
      ? [selector]
      : [];
  return [...labels, ...plain].filter(
    (value): value is JsonStruct => typeof value === "object" && value !== null,
  );
}

function setLabel(metadata: JsonStruct, name: string, value: string): void {
  metadata.labels = { ...((metadata.labels as JsonStruct | null) ?? {}), [name]: value };
}

/** The same value with its keys in order, so that equal templates have equal hashes however they were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, item]) => [key, sorted(item)]));
}
