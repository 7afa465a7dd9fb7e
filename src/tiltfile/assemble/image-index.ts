import {
  familiarName,
  formatImageReference,
  type ImageReference,
  type ImageSelector,
  imageName,
  matchesImage,
  parseImageReference,
  selectorOf,
} from "../../manifests/image-reference.ts";
import type { RecordedImage } from "../recorded.ts";

/** A build on its way into the plan. */
export interface DraftImage {
  readonly recorded: RecordedImage;
  selector: ImageSelector;
  /** Builds that must come first, in the order in which the Dockerfile or `image_deps` names them. */
  readonly dependsOn: DraftImage[];
  /** Something uses it, if only another image. */
  isConsumed: boolean;
}

/**
 * Without the builds that stand for live updates of somebody else's image, which Tilt neither builds nor injects: those
 * of `custom_build(REF, ":", live_update=[…])`, as the extension file_sync_only writes it.
 */
export function reallyBuilt(images: Iterable<DraftImage>): DraftImage[] {
  return [...images].filter(({ recorded }) => !isForLiveUpdatesOnly(recorded));
}

function isForLiveUpdatesOnly(image: RecordedImage): boolean {
  if (image.type !== "custom") return false;
  const [shell, option, script, ...more] = image.command.argv;
  const doesNothing = shell === "sh" && option === "-c" && script === ":" && more.length === 0;
  return (
    doesNothing && image.liveUpdate.some(({ step }) => step.type === "sync" || step.type === "run")
  );
}

/** The builds of a Tiltfile, found by the references that use them. */
export class ImageIndex {
  readonly images: readonly DraftImage[];
  /** The images that environment variables are searched for. */
  readonly envSelectors: readonly ImageSelector[];
  readonly #byName = new Map<string, DraftImage[]>();
  readonly #consumedNames = new Set<string>();

  constructor(recorded: readonly RecordedImage[]) {
    this.images = recorded.map((image) => ({
      recorded: image,
      selector: selectorOf(parseImageReference(image.ref)),
      dependsOn: [],
      isConsumed: false,
    }));
    for (const image of this.images) {
      const name = imageName(image.selector.reference);
      const sameName = this.#byName.get(name);
      if (sameName === undefined) this.#byName.set(name, [image]);
      else sameName.push(image);
    }
    // Several builds of one name can only be told apart by their tags.
    for (const sameName of this.#byName.values()) {
      if (sameName.length < 2) continue;
      for (const image of sameName) image.selector = { ...image.selector, exact: true };
    }
    this.envSelectors = this.images
      .filter((image) => image.recorded.matchInEnvVars)
      .map(({ selector }) => selector);
  }

  /** The first declared build that makes the image of a reference, which is noted as used. */
  consume(reference: ImageReference): DraftImage | undefined {
    this.#consumedNames.add(familiarName(reference));
    const found = this.#byName
      .get(imageName(reference))
      ?.find(({ selector }) => matchesImage(selector, reference));
    if (found !== undefined) found.isConsumed = true;
    return found;
  }

  /** The names of all images that anything uses, built here or not, in the order in which they were met. */
  get consumedNames(): readonly string[] {
    return [...this.#consumedNames];
  }
}

/** The reference of a build in its normal form, as Tilt has it in some messages. */
export function normalizedRef({ selector }: DraftImage): string {
  return formatImageReference(selector.reference);
}
