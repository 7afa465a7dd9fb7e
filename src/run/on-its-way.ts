import { isCustomKind } from "../kubernetes/index.ts";
import type { Observation, RunEvent } from "../model/event.ts";
import type { KubernetesResource, Plan, Resource } from "../model/plan.ts";

/** An object that something of the run misses. */
export interface MissedObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What pods miss and what controllers and Jobs make while they run: certificates, credentials, configuration. */
const MADE_BY_OTHERS: ReadonlySet<string> = new Set(["Secret", "ConfigMap"]);

/**
 * Whether something of this run may still make an object that is missed: a resource whose deploy has not ended plans
 * it, a command that has not ended may do anything, and a Secret or ConfigMap may come from a Job or from the
 * controller of a custom resource that is not settled.
 */
export function mayStillAppear(
  missed: MissedObject,
  plan: Pick<Plan, "resources">,
  events: readonly RunEvent[],
): boolean {
  const { applied, idle } = progressOf(events);
  return activeResources(plan).some((resource) => {
    if (resource.type === "custom") return !applied.has(resource.name);
    if (resource.type === "local")
      return resource.updateCmd !== undefined && !applied.has(resource.name);
    if (resource.type !== "k8s") return false;
    if (!applied.has(resource.name) && plans(resource, missed)) return true;
    return MADE_BY_OTHERS.has(missed.kind) && !idle.has(resource.name) && makesObjects(resource);
  });
}

/**
 * Whether something of this run, `asking` aside, may still define a kind that the server does not know: a resource
 * whose deploy has not ended brings its CustomResourceDefinition, or a command that has not ended may.
 */
export function mayStillBeDefined(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  asking: string,
  plan: Pick<Plan, "resources">,
  events: readonly RunEvent[],
): boolean {
  const { applied } = progressOf(events);
  const group = apiVersion.split("/")[0] ?? "";
  return activeResources(plan).some((resource) => {
    if (resource.name === asking || applied.has(resource.name)) return false;
    if (resource.type === "custom") return true;
    if (resource.type === "local") return resource.updateCmd !== undefined;
    if (resource.type !== "k8s") return false;
    return resource.objects.some(({ object }) => defines(object, group, kind));
  });
}

function activeResources({ resources }: Pick<Plan, "resources">): Resource[] {
  return resources.filter(({ enabled, autoInit }) => enabled && autoInit);
}

/** Whose deploy or command has ended, and who of them makes nothing (more): he is done, or waits for an object himself. */
function progressOf(events: readonly RunEvent[]) {
  const applied = new Set<string>();
  const idle = new Set<string>();
  for (const event of events) {
    if (event.type === "observed") {
      if (makesNothing(event.observation)) idle.add(event.resource);
      else idle.delete(event.resource);
    }
    if (event.type !== "phase-finished" || event.phase === "build" || event.phase === "push")
      continue;
    applied.add(event.resource);
    if (event.status !== "passed") idle.add(event.resource);
  }
  return { applied, idle };
}

function makesNothing({ state, failure }: Observation): boolean {
  return state === "ready" || state === "failed" || failure?.code === "ContainerConfig";
}

function plans(resource: KubernetesResource, { kind, name, namespace }: MissedObject): boolean {
  return resource.objects.some(
    ({ object }) =>
      object.kind === kind &&
      object.metadata.name === name &&
      (object.metadata.namespace ?? namespace) === namespace,
  );
}

/** A custom resource has a controller, which may make what it likes. */
function makesObjects({ objects }: KubernetesResource): boolean {
  return objects.some(
    ({ object: { apiVersion, kind } }) => kind === "Job" || isCustomKind(apiVersion),
  );
}

function defines(object: { readonly kind: string }, group: string, kind: string): boolean {
  if (object.kind !== "CustomResourceDefinition") return false;
  const { spec } = object as { spec?: { group?: unknown; names?: { kind?: unknown } } };
  return spec?.group === group && spec.names?.kind === kind;
}
