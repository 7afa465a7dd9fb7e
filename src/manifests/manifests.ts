import type { KubernetesObject } from "../model/plan.ts";
import { decodeManifest } from "./kubernetes-decode.ts";
import { parseYamlOrJsonStream } from "./yaml-or-json.ts";

/** An object with the line of the file on which its document starts. */
export interface ManifestObject {
  readonly object: KubernetesObject;
  /** 1-based. */
  readonly line: number;
}

/**
 * The Kubernetes objects of a YAML or JSON text, Lists flattened.
 * @throws YamlError, or ManifestError for a document that is no object (both in Tilt's words)
 */
export function parseManifests(text: string, { file }: { file: string }): ManifestObject[] {
  return parseYamlOrJsonStream(text, { file }).flatMap(({ value, line }) =>
    decodeManifest(value).map((object) => ({ object, line })),
  );
}
