import type { Plan, Resource } from "../../model/plan.ts";
import { oneLine } from "./one-line.ts";

/**
 * The plan as a Mermaid flowchart: arrows go from what comes first to what waits for it. Rounded boxes are images,
 * dashed ones are disabled.
 */
export function formatPlanGraph(plan: Plan): string {
  const resourceIds = new Map<Resource, string>();
  const byName = new Map<string, string>();
  for (const [index, resource] of plan.resources.entries()) {
    resourceIds.set(resource, `r${index}`);
    byName.set(resource.name, `r${index}`);
  }
  const imageIds = new Map(plan.images.map(({ ref }, index) => [ref, `i${index}`]));
  const lines = [
    "flowchart LR",
    ...plan.images.map(({ ref }) => `  ${imageIds.get(ref)}(["${escapeLabel(ref)}"])`),
    ...plan.resources.map((resource) => `  ${resourceIds.get(resource)}["${label(resource)}"]`),
    ...plan.images.flatMap(({ ref, dependsOn }) =>
      dependsOn.map((base) => `  ${imageIds.get(base)} --> ${imageIds.get(ref)}`),
    ),
    ...plan.resources.flatMap((resource) => {
      const id = resourceIds.get(resource);
      const images = resource.type === "local" ? [] : resource.images;
      return [
        ...images.map((ref) => `  ${imageIds.get(ref)} -.-> ${id}`),
        ...resource.resourceDeps.map((name) => `  ${byName.get(name)} --> ${id}`),
      ];
    }),
    ...disabledStyle(plan, resourceIds),
  ];
  return `${lines.join("\n")}\n`;
}

function disabledStyle(plan: Plan, ids: ReadonlyMap<Resource, string>): string[] {
  const disabled = plan.resources.filter(({ enabled, autoInit }) => !enabled || !autoInit);
  if (disabled.length === 0) return [];
  return [
    "  classDef disabled stroke-dasharray: 5 5,opacity:0.6",
    `  class ${disabled.map((resource) => ids.get(resource)).join(",")} disabled`,
  ];
}

function label({ name, type }: Resource): string {
  return `${escapeLabel(name)}<br/><small>${type}</small>`;
}

/** Mermaid's entities for what would end a quoted label or be read as markup. */
function escapeLabel(text: string): string {
  return oneLine(text)
    .replaceAll("#", "#35;")
    .replaceAll("`", "#96;")
    .replaceAll("&", "#amp;")
    .replaceAll('"', "#quot;")
    .replaceAll("<", "#lt;")
    .replaceAll(">", "#gt;");
}
