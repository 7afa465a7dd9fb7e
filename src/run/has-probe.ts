import { partsOfType } from "../manifests/kubernetes-walk.ts";
import type { Resource } from "../model/plan.ts";

/** Whether a probe tells when a resource is ready, as opposed to its process having been started. */
export function hasProbe(resource: Resource): boolean {
  switch (resource.type) {
    case "local":
      return resource.readinessProbe !== undefined;
    case "k8s":
      return resource.objects
        .flatMap(({ object }) => partsOfType(object, "v1.Container"))
        .some(({ readinessProbe }) => readinessProbe !== undefined);
    default:
      return false; // what Compose and custom commands start is not ours to read
  }
}
