import {
  FragmentError,
  matchesFragment,
  objectFullName,
  parseFragment,
  potentialNames,
} from "../../manifests/kubernetes-objects.ts";
import type { PlannedObject } from "../../model/plan.ts";
import { formatPosition } from "../../model/position.ts";
import { goQuote } from "../go/quote.ts";
import type { RecordedK8sResource } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { type DraftResource, draftResource } from "./draft-resource.ts";
import { nearestHint } from "./nearest.ts";
import type { ResourceNames } from "./resource-names.ts";

/** The objects as k8s_resource calls see them: what is in a resource already, and what is still free. */
export class ObjectPool {
  readonly #all: readonly PlannedObject[];
  readonly #byFragment = new Map<string, PlannedObject[]>();
  readonly #free: Set<PlannedObject>;

  constructor(taken: readonly PlannedObject[], free: readonly PlannedObject[]) {
    this.#all = [...taken, ...free];
    this.#free = new Set(free);
    for (const object of this.#all) {
      for (const name of potentialNames(object.object)) {
        const known = this.#byFragment.get(name);
        if (known === undefined) this.#byFragment.set(name, [object]);
        else known.push(object);
      }
    }
  }

  /** What no resource has taken, in YAML order. */
  get free(): PlannedObject[] {
    return [...this.#free];
  }

  /**
   * Takes the object that a fragment names.
   * @throws TiltfileError when there is none, several, or it is taken
   */
  take(fragment: string, parts: readonly string[], call: RecordedK8sResource): PlannedObject {
    const fail = (message: string, hint?: string) =>
      new TiltfileError(message, { positions: [call.position], hint });
    const named = this.#byFragment.get(fragment.toLowerCase()) ?? [];
    if (named.length === 0) {
      throw fail(
        `No object identified by the fragment ${goQuote(fragment)} could be found. Possible objects are: ${quotedNames(this.#all)}`,
        nearestHint(fragment.toLowerCase(), this.#byFragment.keys()),
      );
    }
    if (named.length > 1) {
      const quoted = goQuote(fragment);
      throw fail(
        `${quoted} is not a unique fragment. Objects that match ${quoted} are ${quotedNames(named)}`,
      );
    }
    const [object] = named;
    if (!this.#free.has(object!) || !matchesFragment(object!.object, parts)) {
      throw fail(
        `No object identified by the fragment ${goQuote(fragment)} could be found in remaining YAML. Valid remaining fragments are: ${quotedNames(this.free)}`,
      );
    }
    this.#free.delete(object!);
    return object!;
  }
}

function quotedNames(objects: readonly PlannedObject[]): string {
  return objects.map(({ object }) => goQuote(objectFullName(object))).join(", ");
}

/**
 * Applies the k8s_resource calls in order; gives the resources that calls with only objects make.
 * @throws TiltfileError in Tilt's words
 */
export function applyK8sResourceCalls(
  calls: readonly RecordedK8sResource[],
  names: ResourceNames,
  pool: ObjectPool,
): DraftResource[] {
  const groups: DraftResource[] = [];
  for (const call of calls) {
    const resource = call.workload === "" ? makeGroup(call, names) : findResource(call, names);
    if (call.workload === "") groups.push(resource);
    addOptions(resource, call);
    if (call.newName !== "" && call.newName !== resource.name) rename(resource, call, names);
    const fragments = call.objects.map((fragment) => [fragment, partsOf(fragment, call)] as const);
    for (const [fragment, parts] of fragments) {
      resource.objects.push(pool.take(fragment, parts, call));
    }
  }
  return groups;
}

function makeGroup(
  { newName, position }: RecordedK8sResource,
  names: ResourceNames,
): DraftResource {
  const conflict = names.conflict(newName);
  if (conflict !== undefined) {
    throw new TiltfileError(conflict, { positions: [position], resource: newName });
  }
  const resource = draftResource(newName, position, { isGroup: true });
  names.add(resource);
  return resource;
}

function findResource(
  { workload, position }: RecordedK8sResource,
  names: ResourceNames,
): DraftResource {
  const resource = names.get(workload);
  if (resource !== undefined) return resource;
  throw new TiltfileError(
    `${formatPosition(position)}: k8s_resource specified unknown resource ${goQuote(workload)}. known k8s resources: ${names.known.join(", ")}`,
    { positions: [position], hint: nearestHint(workload, names.known) },
  );
}

/** Calls add up; of settings with one value the last one given holds. */
function addOptions(resource: DraftResource, call: RecordedK8sResource): void {
  resource.portForwards.push(...call.portForwards);
  resource.extraPodSelectors.push(...call.extraPodSelectors);
  resource.resourceDeps.push(...call.resourceDeps);
  resource.links.push(...call.links);
  for (const label of call.labels) resource.labels.add(label);
  resource.autoInit = call.autoInit ?? resource.autoInit;
  resource.triggerMode = call.triggerMode ?? resource.triggerMode;
  resource.podReadiness = call.podReadiness ?? resource.podReadiness;
  resource.discoveryStrategy = call.discoveryStrategy ?? resource.discoveryStrategy;
}

function rename(resource: DraftResource, call: RecordedK8sResource, names: ResourceNames): void {
  const { newName, position } = call;
  const conflict = names.conflict(newName);
  if (conflict !== undefined) {
    throw new TiltfileError(
      `${formatPosition(position)}: k8s_resource specified to rename ${goQuote(resource.name)} to ${goQuote(newName)}: ${conflict}`,
      { positions: [position], resource: resource.name },
    );
  }
  names.rename(resource, newName);
}

function partsOf(fragment: string, { position }: RecordedK8sResource): string[] {
  try {
    return parseFragment(fragment);
  } catch (error) {
    if (!(error instanceof FragmentError)) throw error;
    throw new TiltfileError(
      `Error making selector from string ${goQuote(fragment)}: ${error.message}`,
      { positions: [position], cause: error },
    );
  }
}
