import { partsOfType } from "../../manifests/kubernetes-walk.ts";
import type { KubernetesObject, Resource } from "../../model/plan.ts";
import { TiltfileError } from "../tiltfile-error.ts";

/** Of all keys and values of an object's annotations together. */
const ANNOTATIONS_MAX_BYTES = 256 * 1024;
/** Of a label's value, and of the name of a label or annotation behind its prefix. */
const LABEL_MAX = 63;
const PREFIX_MAX = 253;
const NAME_MAX = 253;

/** Kinds whose names become host names or get a suffix. */
const SHORT_NAMES: Readonly<Record<string, number>> = {
  "v1/Namespace": 63,
  "v1/Service": 63,
  "batch/v1/CronJob": 52,
};

/** Groups all of whose kinds take 253 characters at most. Elsewhere it is up to the kind: a Role has no such limit. */
const BUILT_IN = new Set([
  "",
  "apps",
  "batch",
  "autoscaling",
  "policy",
  "networking.k8s.io",
  "storage.k8s.io",
  "apiextensions.k8s.io",
]);

/** A part of an object that has labels and annotations, and the API server's name for it. */
interface Labelled {
  readonly path: string;
  readonly labels?: Readonly<Record<string, unknown>> | null;
  readonly annotations?: Readonly<Record<string, unknown>> | null;
}

/**
 * Finds objects that every API server would refuse for the length of a name, a label or the annotations, before
 * anything is built for them. Resources that do not start are passed over: nothing of them is applied.
 * @throws TiltfileError that names object, field and the call that brought the object
 */
export function checkObjectLimits(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (resource.type !== "k8s" || !resource.enabled || !resource.autoInit) continue;
    for (const { object, position } of resource.objects) {
      const problems = limitProblems(object);
      if (problems.length === 0) continue;
      throw new TiltfileError(`Kubernetes cannot take ${titleOf(object)}: ${problems.join("; ")}`, {
        positions: [position],
        resource: resource.name,
      });
    }
  }
}

/** What of an object is longer than Kubernetes allows, each as `field: what is wrong`. */
export function limitProblems(object: KubernetesObject): string[] {
  const { labels, annotations } = object.metadata;
  const parts: Labelled[] = [
    { path: "metadata", ...(labels && { labels }), ...(annotations && { annotations }) },
    ...templatesOf(object),
  ];
  return [
    ...nameProblem(object),
    ...parts.flatMap(({ path, labels, annotations }) => [
      ...Object.entries(labels ?? {}).flatMap(([key, value]) =>
        labelProblems(`${path}.labels`, key, value),
      ),
      ...annotationProblems(`${path}.annotations`, annotations ?? {}),
    ]),
  ];
}

function templatesOf(object: KubernetesObject): Labelled[] {
  const path = object.kind === "CronJob" ? "spec.jobTemplate.spec.template" : "spec.template";
  return partsOfType(object, "v1.PodTemplateSpec").map(({ metadata }) => ({
    ...(metadata as Omit<Labelled, "path"> | null | undefined),
    path: `${path}.metadata`,
  }));
}

function nameProblem({ apiVersion, kind, metadata }: KubernetesObject): string[] {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const max = SHORT_NAMES[`${apiVersion}/${kind}`] ?? (BUILT_IN.has(group) ? NAME_MAX : Infinity);
  const length = (metadata.name ?? "").length;
  return length > max ? [`metadata.name has ${length} characters, ${max} are allowed`] : [];
}

function labelProblems(field: string, key: string, value: unknown): string[] {
  const { length } = String(value ?? "");
  return [
    ...keyProblems(field, key),
    ...(length > LABEL_MAX
      ? [`${field}: the value of ${shown(key)} has ${length} characters, ${LABEL_MAX} are allowed`]
      : []),
  ];
}

function keyProblems(field: string, key: string): string[] {
  const slash = key.indexOf("/");
  const name = key.length - slash - 1;
  const problems: string[] = [];
  if (slash > PREFIX_MAX)
    problems.push(
      `${field}: the prefix of ${shown(key)} has ${slash} characters, ${PREFIX_MAX} are allowed`,
    );
  if (name > LABEL_MAX)
    problems.push(
      `${field}: the name of ${shown(key)} has ${name} characters, ${LABEL_MAX} are allowed`,
    );
  return problems;
}

function annotationProblems(
  field: string,
  annotations: Readonly<Record<string, unknown>>,
): string[] {
  const entries = Object.entries(annotations);
  const sizes = entries.map(
    ([key, value]) => [key, Buffer.byteLength(key + String(value ?? ""))] as const,
  );
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const problems = entries.flatMap(([key]) => keyProblems(field, key));
  if (total <= ANNOTATIONS_MAX_BYTES) return problems;
  const [largest, size] = sizes.reduce((most, next) => (next[1] > most[1] ? next : most));
  return [
    ...problems,
    `${field} have ${total} bytes, ${ANNOTATIONS_MAX_BYTES} are allowed; the largest is ${shown(largest)} with ${size}`,
  ];
}

function titleOf({ kind, metadata: { name, namespace } }: KubernetesObject): string {
  return [kind, ...(namespace ? [namespace] : []), shown(name ?? "")].join("/");
}

/** Enough of a name to find it by. */
function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
