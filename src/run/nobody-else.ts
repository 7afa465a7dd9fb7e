import { isCustomKind } from "../kubernetes/index.ts";
import { mentionsCluster } from "../local/index.ts";
import type { Plan, Resource } from "../model/plan.ts";

/**
 * Whether nothing that this plan starts can make objects in its cluster by itself: no server that talks to it, nothing
 * with rights of its own (an operator has a binding, a custom resource has a controller). Commands are no matter: they end.
 */
export function plansNoMakers({ resources, directory }: Pick<Plan, "resources" | "directory">) {
  return !resources.some(
    (resource) => resource.enabled && resource.autoInit && isMaker(resource, directory),
  );
}

function isMaker(resource: Resource, directory: string): boolean {
  switch (resource.type) {
    case "custom":
      return true; // a chart may bring anything
    case "compose":
      return false;
    case "local":
      return resource.serveCmd !== undefined && mentionsCluster(resource.serveCmd.argv, directory);
    case "k8s":
      return resource.objects.some(
        ({ object: { apiVersion, kind } }) =>
          kind.endsWith("RoleBinding") || isCustomKind(apiVersion),
      );
  }
}
