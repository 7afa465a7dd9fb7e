import { isEmptyDockerfile, tiltDockerfileImages } from "../../manifests/dockerfile.ts";
import {
  familiarName,
  familiarReference,
  type ImageReference,
  parseImageReference,
} from "../../manifests/image-reference.ts";
import type { ImageBuild } from "../../model/plan.ts";
import type { RecordedImage } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { type DraftImage, type ImageIndex, normalizedRef } from "./image-index.ts";
import { nearestHint } from "./nearest.ts";

/**
 * Connects builds: through `FROM` and `COPY --from` of Dockerfiles, and `image_deps` of custom builds.
 * @throws TiltfileError when an image of `image_deps` is built nowhere, or a Dockerfile is empty
 */
export function connectImages(index: ImageIndex): void {
  for (const image of index.images) {
    for (const reference of dependencyReferences(image.recorded)) {
      const dependency = index.consume(reference);
      if (dependency === undefined) {
        if (image.recorded.type === "custom") throw missingDependency(image, reference, index);
      } else if (!image.dependsOn.includes(dependency)) {
        image.dependsOn.push(dependency);
      }
    }
  }
}

function dependencyReferences(image: RecordedImage): ImageReference[] {
  if (image.type === "custom") return image.imageDeps.map(parseImageReference);
  const { dockerfileContents, buildArgs, position } = image;
  if (dockerfileContents !== "" && isEmptyDockerfile(dockerfileContents)) {
    throw new TiltfileError("dockerfile.ParseAST: file with no instructions", {
      positions: [position],
    });
  }
  return tiltDockerfileImages(dockerfileContents, buildArgs).map(({ reference }) => reference);
}

function missingDependency(
  { recorded, selector }: DraftImage,
  reference: ImageReference,
  index: ImageIndex,
): TiltfileError {
  const missing = familiarReference(reference);
  const known = index.images.map((image) => familiarName(image.selector.reference));
  return new TiltfileError(
    `image "${familiarReference(selector.reference)}": image dep "${missing}" not found`,
    { positions: [recorded.position], hint: nearestHint(missing, known) },
  );
}

/**
 * Builds with all they need, dependencies before their users.
 * @throws TiltfileError for builds that need each other
 */
export function withDependencies(images: readonly DraftImage[]): DraftImage[] {
  const ordered = new Set<DraftImage>();
  const pending = new Set<DraftImage>();
  const visit = (image: DraftImage): void => {
    if (ordered.has(image)) return;
    if (pending.has(image)) {
      throw new TiltfileError(`Image dependency cycle: ${normalizedRef(image)}`, {
        positions: [image.recorded.position],
      });
    }
    pending.add(image);
    for (const dependency of image.dependsOn) visit(dependency);
    ordered.add(image);
  };
  for (const image of images) visit(image);
  return [...ordered];
}

/** What uses a build: the names of resources, and whether one of them runs it itself. */
export interface ImageUse {
  readonly usedBy: Set<string>;
  deployed: boolean;
}

/** The build as it stands in the plan. */
export function toImageBuild(
  { recorded, selector, dependsOn }: DraftImage,
  use: ImageUse,
): ImageBuild {
  return {
    ...recorded,
    ref: familiarReference(selector.reference),
    exactTag: selector.exact,
    dependsOn: dependsOn.map(refOf),
    usedBy: [...use.usedBy],
    deployed: use.deployed,
    liveUpdate: recorded.liveUpdate.map(({ step }) => step),
    ...(recorded.type === "custom"
      ? { imageDeps: recorded.imageDeps.map((ref) => familiarReference(parseImageReference(ref))) }
      : {}),
  } as ImageBuild;
}

/** The name of a build everywhere in the plan. */
export function refOf({ selector }: DraftImage): string {
  return familiarReference(selector.reference);
}
