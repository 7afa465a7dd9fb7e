import type { ImageLocator, KubernetesObject } from "../model/plan.ts";
import {
  familiarName,
  familiarReference,
  formatImageReference,
  type ImageReference,
  ImageReferenceError,
  type ImageSelector,
  matchesImage,
  parseImageReference,
  tryParseImageReference,
} from "./image-reference.ts";
import { findJsonPath, goTypeName, type JsonPathMatch, replaceMatch } from "./json-path.ts";
import { JsonPathError } from "./json-path-parser.ts";
import { type JsonStruct, partsOfType } from "./kubernetes-walk.ts";
import { ManifestError } from "./manifest-error.ts";

/** A place in an object that names an image. */
export interface ImageSlot {
  readonly reference: ImageReference;
  /** The container, for places that are its `image`: `command` and `args` can be overridden there. */
  readonly container?: JsonStruct;
  /** Writes another reference into the object, and the pull policy where the place has one. */
  replace(reference: ImageReference, pullPolicy: string): void;
}

/**
 * The images of an object: `image` of containers and init containers and image volumes of built-in kinds, what the
 * locators find, and environment values that are wholly an image of `envSelectors`.
 * @throws ManifestError in Tilt's words when one is no image reference, or a path is missing
 */
export function imageSlots(
  object: KubernetesObject,
  locators: readonly ImageLocator[],
  envSelectors: readonly ImageSelector[],
): ImageSlot[] {
  return [
    ...partsOfType(object, "v1.Container").map(containerSlot),
    ...partsOfType(object, "v1.ImageVolumeSource").flatMap(volumeSlot),
    ...locatorSlots(object, locators),
    ...(envSelectors.length > 0
      ? partsOfType(object, "v1.EnvVar").flatMap((env) => envSlot(env, envSelectors))
      : []),
  ];
}

/** The images of an object, each once, in order. Throws as imageSlots(). */
export function imagesOf(
  object: KubernetesObject,
  locators: readonly ImageLocator[],
  envSelectors: readonly ImageSelector[],
): ImageReference[] {
  const images = new Map<string, ImageReference>();
  for (const { reference } of imageSlots(object, locators, envSelectors)) {
    const key = formatImageReference(reference);
    if (!images.has(key)) images.set(key, reference);
  }
  return [...images.values()];
}

function containerSlot(container: JsonStruct): ImageSlot {
  const text = textOf(container.image);
  return {
    reference: wrapErrors(`parsing ${text}`, () => parseImageReference(text)),
    container,
    replace(reference, pullPolicy) {
      container.image = familiarReference(reference);
      container.imagePullPolicy = pullPolicy;
    },
  };
}

function volumeSlot(volume: JsonStruct): ImageSlot[] {
  const text = textOf(volume.reference);
  if (text === "") return [];
  return [
    {
      reference: wrapErrors(`parsing ${text}`, () => parseImageReference(text)),
      replace(reference, pullPolicy) {
        volume.reference = familiarReference(reference);
        volume.pullPolicy = pullPolicy;
      },
    },
  ];
}

function envSlot(env: JsonStruct, selectors: readonly ImageSelector[]): ImageSlot[] {
  const reference = tryParseImageReference(textOf(env.value));
  if (reference === undefined) return [];
  if (!selectors.some((selector) => matchesImage(selector, reference))) return [];
  return [
    {
      reference,
      replace(replacement) {
        env.value = familiarReference(replacement);
      },
    },
  ];
}

function locatorSlots(object: KubernetesObject, locators: readonly ImageLocator[]): ImageSlot[] {
  return locators.flatMap((locator) =>
    findMatches(object, locator.jsonPath).map((match) =>
      locator.type === "path" ? pathSlot(match, locator) : objectSlot(match, locator),
    ),
  );
}

function findMatches(object: KubernetesObject, path: string): JsonPathMatch[] {
  return wrapErrors(`Matching (json_path=${JSON.stringify(path)})`, () =>
    findJsonPath(object, path),
  );
}

function pathSlot(
  match: JsonPathMatch,
  { jsonPath }: Extract<ImageLocator, { type: "path" }>,
): ImageSlot {
  const { value, parent } = match;
  if (typeof value !== "string") {
    throw notMatchable("strings", jsonPath, [goTypeName(value), formatGoValue(value)]);
  }
  return {
    reference: wrapErrors(`error parsing image '${value}' at json path '${jsonPath}'`, () =>
      parseImageReference(value),
    ),
    replace(reference, pullPolicy) {
      replaceMatch(match, familiarReference(reference));
      if (parent !== undefined && "imagePullPolicy" in parent) {
        (parent as JsonStruct).imagePullPolicy = pullPolicy;
      }
    },
  };
}

/** An object such as `{repository: foo, tag: v1}`. */
function objectSlot(
  { value }: JsonPathMatch,
  { jsonPath, repoField, tagField }: Extract<ImageLocator, { type: "object" }>,
): ImageSlot {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    // Here Tilt shows the box that Go has around a value of unknown type, not what is in it.
    throw notMatchable("maps", jsonPath, ["interface {}", "<interface {} Value>"]);
  }
  const fields = value as JsonStruct;
  const tag = textOf(fields[tagField]);
  return {
    reference: wrapErrors(undefined, () =>
      parseImageReference(textOf(fields[repoField]) + (tag === "" ? "" : `:${tag}`)),
    ),
    replace(reference) {
      fields[repoField] = familiarName(reference);
      if (reference.tag !== undefined) fields[tagField] = reference.tag;
    },
  };
}

function notMatchable(
  what: string,
  jsonPath: string,
  [type, value]: readonly [type: string, value: string],
): ManifestError {
  return new ManifestError(
    `May only match ${what} (json_path=${JSON.stringify(jsonPath)})\nGot Type: ${type}\nGot Value: ${value}`,
  );
}

/** Go's `%s` of a decoded value. */
function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(" ")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([key, item]) => `${key}:${formatGoValue(item)}`).join(" ")}]`;
  }
  return `%!s(${goTypeName(value)}=${String(value)})`;
}

function wrapErrors<T>(context: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isOurs =
      error instanceof ManifestError ||
      error instanceof JsonPathError ||
      error instanceof ImageReferenceError;
    if (!isOurs) throw error;
    throw new ManifestError(context === undefined ? error.message : `${context}: ${error.message}`);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
