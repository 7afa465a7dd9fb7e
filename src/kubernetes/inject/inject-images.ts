import { messageOf, PhaseFailure } from "../../errors.ts";
import {
  type ImageSelector,
  matchesImage,
  parseImageReference,
} from "../../manifests/image-reference.ts";
import { type ImageSlot, imageSlots } from "../../manifests/kubernetes-images.ts";
import { type JsonStruct, partsOfType } from "../../manifests/kubernetes-walk.ts";
import { ManifestError } from "../../manifests/manifest-error.ts";
import type { ImageBuild, KubernetesObject, PlannedObject } from "../../model/plan.ts";
import type { Failure } from "../../model/result.ts";
import { objectName } from "../api/api-object.ts";
import type { ApplyItem } from "../apply/apply-object.ts";
import { addTemplateHashes, labelAsManaged } from "./labels.ts";

/** An image that a run has built, and under which name the cluster finds it. */
export interface BuiltImage {
  readonly clusterRef: string;
  readonly build: ImageBuild;
}

const PULL_POLICY = "IfNotPresent";

interface Candidate {
  readonly image: BuiltImage;
  readonly selector: ImageSelector;
}

/**
 * The objects of a resource as they are applied (ci-engine.md §9, in its order): labelled, with the images that were
 * built in place of the ones named, `entrypoint` and `container_args` set, and each pod template marked with its hash.
 * The plan's own objects stay as they are. Throws PhaseFailure (`ApplyRejected`) when an image is nowhere in the objects.
 */
export function injectImages(
  resource: {
    readonly objects: readonly PlannedObject[];
    readonly images: readonly string[];
  },
  images: ReadonlyMap<string, BuiltImage>,
): ApplyItem[] {
  const candidates = resource.images.map((ref) => candidateOf(ref, images));
  const injected = new Set<Candidate>();
  const items = resource.objects.map(({ object: planned, imageLocators, position }) => {
    const object = structuredClone(planned);
    labelAsManaged(object);
    if (candidates.length > 0) relaxForBuiltImages(object);
    try {
      for (const candidate of injectInto(object, imageLocators, candidates))
        injected.add(candidate);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      const { kind, metadata } = object;
      throw rejected({
        message: messageOf(error),
        object: objectName({ kind, metadata }),
        position,
      });
    }
    addTemplateHashes(object);
    return { object, position };
  });
  const missing = candidates.find((candidate) => !injected.has(candidate));
  if (missing !== undefined) {
    const { ref, position } = missing.image.build;
    throw rejected({ message: `Docker image missing from yaml: ${ref}`, object: ref, position });
  }
  return items;
}

function candidateOf(ref: string, images: ReadonlyMap<string, BuiltImage>): Candidate {
  const image = images.get(ref);
  if (image === undefined) throw new Error(`image ${ref} was not built before it was deployed`);
  const selector = { reference: parseImageReference(ref), exact: image.build.exactTag };
  return { image, selector };
}

/** What was built is on the nodes or in the registry beside them, and pods of a set need not wait for one another. */
function relaxForBuiltImages(object: KubernetesObject): void {
  for (const container of partsOfType(object, "v1.Container"))
    container.imagePullPolicy = PULL_POLICY;
  if (object.kind === "StatefulSet" && object.apiVersion.startsWith("apps/"))
    (object.spec as JsonStruct).podManagementPolicy = "Parallel";
}

/** Replaces images in an object; returns those that were found in it. */
function injectInto(
  object: KubernetesObject,
  locators: PlannedObject["imageLocators"],
  candidates: readonly Candidate[],
): Candidate[] {
  if (candidates.length === 0) return [];
  const inEnvironment = candidates.filter(({ image }) => image.build.matchInEnvVars);
  const slots = imageSlots(
    object,
    locators,
    inEnvironment.map(({ selector }) => selector),
  );
  const found: Candidate[] = [];
  for (const slot of slots) {
    const candidate = candidates
      .toSorted((a, b) => Number(b.selector.exact) - Number(a.selector.exact))
      .find(({ selector }) => matchesImage(selector, slot.reference));
    if (candidate === undefined) continue;
    slot.replace(parseImageReference(candidate.image.clusterRef), PULL_POLICY);
    overrideCommand(object, slot, candidate.image.build);
    found.push(candidate);
  }
  return found;
}

function overrideCommand(
  object: KubernetesObject,
  { container }: ImageSlot,
  build: ImageBuild,
): void {
  const { entrypoint, containerArgs, ref } = build;
  if (entrypoint === undefined && containerArgs === undefined) return;
  if (container === undefined) {
    if (partsOfType(object, "v1.Container").length > 0) return;
    throw new ManifestError(
      `entrypoint and container_args of image ${ref} cannot be set in a custom resource`,
    );
  }
  if (entrypoint !== undefined) container.command = [...entrypoint];
  if (containerArgs !== undefined) container.args = [...containerArgs];
}

function rejected(failure: Omit<Failure, "code">): PhaseFailure {
  return new PhaseFailure({ code: "ApplyRejected", ...failure });
}
