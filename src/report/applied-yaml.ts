import { dump } from "js-yaml";
import type { KubernetesObject } from "../model/plan.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Objects as YAML documents for reports: every value of a Secret is masked, whatever its length, and what the API server
 * adds for its own book-keeping is left out. Other places of secret values are the scrubber's.
 */
export function maskedYaml(objects: readonly KubernetesObject[]): string {
  return objects
    .map((object) => dump(maskObject(object), { lineWidth: -1, noRefs: true, skipInvalid: true }))
    .join("---\n");
}

function maskObject(object: KubernetesObject): unknown {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  const { [LAST_APPLIED]: __, ...kept } = annotations ?? {};
  const masked: Record<string, unknown> = {
    ...object,
    metadata: { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) },
  };
  if (object.kind !== "Secret") return masked;
  for (const field of ["data", "stringData"]) {
    const values = object[field];
    if (values === null || typeof values !== "object") continue;
    masked[field] = Object.fromEntries(
      Object.keys(values).map((key) => [key, `[redacted secret ${object.metadata.name}:${key}]`]),
    );
  }
  return masked;
}
