import { partsOfType } from "../manifests/kubernetes-walk.ts";
import type { Resource } from "../model/plan.ts";

interface Container {
  readonly restartPolicy?: string;
  readonly readinessProbe?: unknown;
}

/** Whether probes tell when all of a resource is ready, as opposed to some process of it having only been started. */
export function hasProbe(resource: Resource): boolean {
  switch (resource.type) {
    case "local":
      return resource.readinessProbe !== undefined;
    case "k8s": {
      const containers = resource.objects
        .flatMap(({ object }) => partsOfType(object, "v1.PodSpec"))
        .flatMap(runningOn);
      return containers.length > 0 && containers.every(({ readinessProbe }) => readinessProbe);
    }
    case "compose":
      return resource.hasHealthcheck;
    case "custom":
      return false; // what its command applies is not known before
  }
}

/** The containers of a pod that are to stay: all but the init containers that come to an end. */
function runningOn(spec: {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}): readonly Container[] {
  const { containers = [], initContainers = [] } = spec;
  return [
    ...containers,
    ...initContainers.filter(({ restartPolicy }) => restartPolicy === "Always"),
  ];
}
