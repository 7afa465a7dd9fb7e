import { type Dumpable, dumpYaml } from "../../manifests/yaml-dump.ts";
import type { KubernetesResource, Plan, Resource } from "../../model/plan.ts";
import { oneLine } from "./one-line.ts";
import { relativePosition } from "./relative-position.ts";

/**
 * The manifests that a run would apply, in its order: those of enabled resources that start. A comment before each
 * resource says which it is; images are as the Tiltfile's YAML has them.
 */
export function formatPlanYaml(plan: Plan): string {
  const documents = plan.resources.filter(isApplied).flatMap((resource) =>
    resource.objects.map(({ object }, index) => {
      const place = relativePosition(resource.position, plan.directory);
      const comment = index === 0 ? `# ${oneLine(`${resource.name} (${place})`)}\n` : "";
      return `${comment}${dumpYaml(object as Dumpable)}`;
    }),
  );
  return documents.length === 0 ? "" : `---\n${documents.join("---\n")}`;
}

function isApplied(resource: Resource): resource is KubernetesResource {
  return resource.type === "k8s" && resource.enabled && resource.autoInit;
}
