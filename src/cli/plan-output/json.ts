import { objectId } from "../../manifests/kubernetes-objects.ts";
import type { Command, ImageBuild, Plan, Resource } from "../../model/plan.ts";

/** Raised when a field changes its meaning or goes away; new fields do not count. docs/plan.schema.json */
const SCHEMA_VERSION = 1;

/** The plan as JSON (docs/plan.schema.json): resources in assembly order, every key always there. */
export function formatPlanJson(plan: Plan): string {
  return `${JSON.stringify(planDocument(plan), undefined, 2)}\n`;
}

/** The JSON document as a value. */
export function planDocument(plan: Plan) {
  const { files, variables, commands } = plan.environment;
  return {
    schemaVersion: SCHEMA_VERSION,
    tiltfile: plan.tiltfile,
    resources: plan.resources.map(resourceDocument),
    images: plan.images.map(imageDocument),
    environment: { files, variables, commands },
    warnings: plan.warnings.map(({ message, position, hint }) => ({
      message,
      position: position ?? null,
      hint: hint ?? null,
    })),
  };
}

function resourceDocument(resource: Resource) {
  const { name, type, position, enabled, autoInit, triggerMode, resourceDeps, labels, links } =
    resource;
  const hasPods = type === "k8s" || type === "custom";
  return {
    name,
    type,
    position,
    readiness: hasPods ? resource.readiness : null,
    autoInit,
    enabled,
    triggerMode,
    resourceDeps,
    labels,
    objects: type === "k8s" ? resource.objects.map(({ object }) => objectId(object)) : [],
    images: type === "local" ? [] : resource.images,
    portForwards: hasPods ? resource.portForwards : [],
    links,
    updateCmd: type === "local" ? argvOf(resource.updateCmd) : null,
    serveCmd: type === "local" ? argvOf(resource.serveCmd) : null,
    applyCmd: type === "custom" ? argvOf(resource.applyCmd) : null,
    service: type === "compose" ? `${resource.project}/${resource.service}` : null,
  };
}

function argvOf(command: Command | undefined): readonly string[] | null {
  return command?.argv ?? null;
}

function imageDocument(image: ImageBuild) {
  const { ref, type, position, dependsOn, usedBy, deployed } = image;
  const isDocker = image.type === "docker";
  return {
    ref,
    kind: type,
    position,
    dependsOn,
    usedBy,
    deployed,
    context: isDocker ? image.context : null,
    dockerfile: isDocker ? (image.dockerfile ?? null) : null,
    target: isDocker ? (image.target ?? null) : null,
    command: isDocker ? null : image.command.argv,
    deps: isDocker ? [] : image.deps,
  };
}
