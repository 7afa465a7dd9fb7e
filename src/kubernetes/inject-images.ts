import { createHash } from "node:crypto";
import { PhaseFailure } from "../errors.ts";
import {
  type ImageReference,
  type ImageSelector,
  matchesImage,
  parseImageReference,
} from "../manifests/image-reference.ts";
import { type ImageSlot, imageSlots } from "../manifests/kubernetes-images.ts";
import { type JsonStruct, partsOfType } from "../manifests/kubernetes-walk.ts";
import type {
  ImageBuild,
  KubernetesObject,
  KubernetesResource,
  PlannedObject,
} from "../model/plan.ts";
import type { ApplyItem } from "./apply/apply-object.ts";
import { TEMPLATE_HASH_LABEL } from "./watch/tracked-resource.ts";

const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
const HASH_LENGTH = 20;

/** An image that was built: what stands for it in the cluster. */
export interface InjectedImage {
  readonly clusterRef: string;
  readonly build: ImageBuild;
}

/**
 * The objects of a resource as they are applied: labelled, with built images in the place of the Tiltfile's references
 * (ci-engine.md §9, in its order). The plan's objects are left as they are.
 * @throws PhaseFailure (ApplyRejected) when an image of the resource is in none of its objects
 */
export function injectImages(
  resource: KubernetesResource,
  images: ReadonlyMap<string, InjectedImage>,
): ApplyItem[] {
  const wanted = resource.images.map((ref) => {
    const image = images.get(ref);
    if (image === undefined) throw new Error(`image ${ref} of ${resource.name} has not been built`);
    return toInjection(image);
  });
  const placed = new Set<string>();
  const items = resource.objects.map((planned) => {
    const object = structuredClone(planned.object) as KubernetesObject;
    label(object);
    if (wanted.length > 0) allowLocalImages(object);
    for (const ref of replaceImages(object, planned, wanted)) placed.add(ref);
    stampTemplates(object);
    return { object, position: planned.position };
  });
  const missing = wanted.find(({ build }) => !placed.has(build.ref));
  if (missing !== undefined) throw missingImage(missing.build);
  return items;
}

interface Injection {
  readonly selector: ImageSelector;
  readonly replacement: ImageReference;
  readonly build: ImageBuild;
}

function toInjection({ clusterRef, build }: InjectedImage): Injection {
  return {
    selector: { reference: parseImageReference(build.ref), exact: build.exactTag },
    replacement: parseImageReference(clusterRef),
    build,
  };
}

/** Marks the object and its pod templates; a selector that already asks for the label follows. */
function label(object: KubernetesObject): void {
  addLabel(object, MANAGED_BY_LABEL, "tilt");
  for (const template of partsOfType(object, "v1.PodTemplateSpec"))
    addLabel(template, MANAGED_BY_LABEL, "tilt");
  const selector = (object.spec as JsonStruct | undefined)?.selector as JsonStruct | undefined;
  const labels = (selector?.matchLabels ?? selector) as JsonStruct | undefined;
  if (labels !== undefined && typeof labels[MANAGED_BY_LABEL] === "string")
    labels[MANAGED_BY_LABEL] = "tilt";
}

function addLabel(part: JsonStruct | KubernetesObject, name: string, value: string): void {
  const holder = part as JsonStruct;
  const metadata = (holder.metadata ?? {}) as JsonStruct;
  metadata.labels = { ...((metadata.labels ?? {}) as JsonStruct), [name]: value };
  holder.metadata = metadata;
}

/** What was pushed a moment ago need not be asked for again; a StatefulSet must not wait for its first pod. */
function allowLocalImages(object: KubernetesObject): void {
  for (const container of partsOfType(object, "v1.Container"))
    container.imagePullPolicy = "IfNotPresent";
  if (object.kind === "StatefulSet" && object.apiVersion.startsWith("apps/"))
    (object.spec as JsonStruct).podManagementPolicy = "Parallel";
}

/** Replaces references in one object; tells which images were there. */
function replaceImages(
  object: KubernetesObject,
  { imageLocators }: PlannedObject,
  injections: readonly Injection[],
): string[] {
  if (injections.length === 0) return [];
  const inEnv = injections
    .filter(({ build }) => build.matchInEnvVars)
    .map(({ selector }) => selector);
  const placed: string[] = [];
  for (const slot of imageSlots(object, imageLocators, inEnv)) {
    const injection = injections.find(({ selector }) => matchesImage(selector, slot.reference));
    if (injection === undefined) continue;
    slot.replace(injection.replacement, "IfNotPresent");
    overrideCommand(object, slot, injection.build);
    placed.push(injection.build.ref);
  }
  return placed;
}

function overrideCommand(
  object: KubernetesObject,
  { container }: ImageSlot,
  { ref, entrypoint, containerArgs }: ImageBuild,
): void {
  if (entrypoint === undefined && containerArgs === undefined) return;
  if (container === undefined) {
    const name = `${object.kind}/${object.metadata.name}`;
    throw new PhaseFailure({
      code: "ApplyRejected",
      object: name,
      message: `${name}: entrypoint and container_args of image ${ref} need a container: this place of it has none`,
    });
  }
  if (entrypoint !== undefined) container.command = [...entrypoint];
  if (containerArgs !== undefined) container.args = [...containerArgs];
}

/** Tells the pods of this deploy from those of others: the hash of the template that made them. */
function stampTemplates(object: KubernetesObject): void {
  for (const template of partsOfType(object, "v1.PodTemplateSpec")) {
    const hash = createHash("sha1").update(JSON.stringify(template)).digest("hex");
    addLabel(template, TEMPLATE_HASH_LABEL, hash.slice(0, HASH_LENGTH));
  }
}

function missingImage({ ref, position }: ImageBuild): PhaseFailure {
  return new PhaseFailure({
    code: "ApplyRejected",
    object: ref,
    message: `Docker image missing from yaml: ${ref}`,
    position,
  });
}
