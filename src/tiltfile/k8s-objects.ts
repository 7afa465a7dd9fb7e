import { decodeManifest } from "../manifests/kubernetes-decode.ts";
import { formatManifests } from "../manifests/kubernetes-serialize.ts";
import { ManifestError } from "../manifests/manifest-error.ts";
import { YamlError } from "../manifests/yaml-error.ts";
import { parseYamlOrJsonStream } from "../manifests/yaml-or-json.ts";
import type { KubernetesObject } from "../model/plan.ts";

/**
 * The Kubernetes objects of YAML text, lists taken apart.
 * @throws YamlError in Tilt's words; it says where
 */
export function parseObjects(text: string, file: string): KubernetesObject[] {
  return parseYamlOrJsonStream(text, { file }).flatMap(({ value, line }, index) => {
    try {
      return decodeManifest(value);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      throw new YamlError(error.message, { file, line, document: index + 1 });
    }
  });
}

/** Objects as YAML text, as Tilt writes them anew. */
export function dumpObjects(objects: readonly KubernetesObject[]): string {
  return formatManifests(objects);
}
