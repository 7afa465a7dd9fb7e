import { type Graph, ownPhases } from "../engine/index.ts";
import { partsOfType } from "../manifests/kubernetes-walk.ts";
import { commandTitle } from "../model/command-text.ts";
import type { PlannedResource } from "../model/event.ts";
import type { Plan, PlannedObject, Resource } from "../model/plan.ts";
import type { PhaseName } from "../model/result.ts";

/** What reports need to know of a plan before anything of it happens. */
export function plannedResources(plan: Plan, graph: Graph): PlannedResource[] {
  const imagesOf = imagesByResource(plan);
  return plan.resources.map((resource) => {
    const inGraph = graph.resources.get(resource.name);
    const tasks =
      inGraph?.tasks.map(({ phase, subject }) => ({
        phase,
        ...(subject === undefined ? {} : { subject }),
        ...titleOf(resource, phase),
      })) ?? [];
    const settles =
      inGraph?.settles && inGraph.settles !== "serve" ? [{ phase: inGraph.settles }] : [];
    return {
      name: resource.name,
      type: resource.type,
      position: resource.position,
      enabled: resource.enabled,
      autoInit: resource.autoInit,
      ...("readiness" in resource ? { readiness: resource.readiness } : {}),
      resourceDeps: resource.resourceDeps,
      labels: resource.labels,
      images: imagesOf(resource),
      objects: resource.type === "k8s" ? resource.objects.map(objectId) : [],
      ...(inGraph
        ? { phases: [...tasks, ...settles] }
        : {
            phases: ownPhases(resource).map((phase) => ({ phase })),
            skipReason: graph.skipped.get(resource.name) ?? "not started",
          }),
      addresses: addressesOf(resource),
      mentions: mentionsOf(resource),
    };
  });
}

function titleOf(resource: Resource, phase: PhaseName): { readonly title?: string } {
  if (resource.type !== "local") return {};
  const command = phase === "serve" ? resource.serveCmd : resource.updateCmd;
  return command === undefined ? {} : { title: commandTitle(command.argv) };
}

/** Which images of this run a resource needs; a Compose service may run what another one builds. */
function imagesByResource({ resources }: Plan): (resource: Resource) => readonly string[] {
  const composed = new Set(
    resources.flatMap((resource) =>
      resource.type === "compose" && resource.composeBuild ? [resource.imageRef] : [],
    ),
  );
  return (resource) => {
    if (!("images" in resource)) return [];
    const shared = resource.type === "compose" && composed.has(resource.imageRef);
    return shared ? [...resource.images, resource.imageRef] : resource.images;
  };
}

function objectId({ object: { kind, metadata } }: PlannedObject): string {
  return `${metadata.name}:${kind.toLowerCase()}:${metadata.namespace ?? "default"}`;
}

/** Kinds whose names pods and host names begin with. */
const ADDRESSED_KINDS = new Set([
  "Service",
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "Job",
  "CronJob",
  "Pod",
]);

/** What a resource says of others: arguments and environment of its containers and commands. */
function mentionsOf(resource: Resource): string[] {
  if (resource.type === "local") {
    return [resource.updateCmd, resource.serveCmd].flatMap((command) =>
      command
        ? [
            ...command.argv,
            ...Object.entries(command.env).map(([name, value]) => `${name}=${value}`),
          ]
        : [],
    );
  }
  if (resource.type !== "k8s") return [];
  return resource.objects.flatMap(({ object }) =>
    partsOfType(object, "v1.Container").flatMap(({ command, args, env }) => [
      ...((command ?? []) as string[]),
      ...((args ?? []) as string[]),
      ...((env ?? []) as { name: string; value?: unknown }[]).flatMap(({ name, value }) =>
        typeof value === "string" ? [`${name}=${value}`] : [],
      ),
    ]),
  );
}

/** Names by which others reach a resource: an error that mentions one of them points here. */
function addressesOf(resource: Resource): string[] {
  if (resource.type === "compose") return [resource.service];
  const local =
    "portForwards" in resource
      ? resource.portForwards.flatMap(({ localPort }) => [
          `localhost:${localPort}`,
          `127.0.0.1:${localPort}`,
        ])
      : [];
  if (resource.type !== "k8s") return [resource.name, ...local];
  const names = resource.objects.flatMap(({ object: { kind, metadata } }) =>
    ADDRESSED_KINDS.has(kind)
      ? [metadata.name, ...(metadata.namespace ? [`${metadata.name}.${metadata.namespace}`] : [])]
      : [],
  );
  return [...new Set([...names, ...local])];
}
