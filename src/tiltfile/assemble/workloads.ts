import type { ImageReference } from "../../manifests/image-reference.ts";
import { imagesOf } from "../../manifests/kubernetes-images.ts";
import {
  objectGroup,
  objectName,
  objectNamespace,
  podTemplateLabels,
  uniqueNames,
} from "../../manifests/kubernetes-objects.ts";
import { ManifestError } from "../../manifests/manifest-error.ts";
import type { KubernetesObject, PlannedObject } from "../../model/plan.ts";
import { formatPosition } from "../../model/position.ts";
import type { Recorded, RecordedObject, WorkloadId } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { addObject, type DraftResource, draftResource } from "./draft-resource.ts";
import type { ImageIndex } from "./image-index.ts";
import { type WorkloadRule, workloadRules } from "./kind-rules.ts";
import type { ResourceNames } from "./resource-names.ts";
import { ServiceIndex } from "./service-index.ts";

/** The resources that workloads form, and the objects that are left over. */
export interface Grouping {
  readonly resources: DraftResource[];
  readonly remaining: PlannedObject[];
  readonly rules: readonly WorkloadRule[];
}

interface Workload {
  readonly object: PlannedObject;
  /** Undefined when a rule made it a workload: its images are looked for later, as in Tilt. */
  readonly images: readonly ImageReference[] | undefined;
}

/**
 * Makes a resource of each workload, in YAML order, with the Services that select its pods; then of each object with a
 * pod template that is none (tiltfile-api.md §10, Workloads).
 * @throws TiltfileError in Tilt's words
 */
export function groupWorkloads(
  recorded: Recorded,
  index: ImageIndex,
  names: ResourceNames,
): Grouping {
  const rules = workloadRules(recorded.kindRules, recorded.imagePathRules);
  const { workloads, others } = findWorkloads(recorded.objects, rules, index);
  const services = new ServiceIndex(others);
  const taken = new Set<PlannedObject>();
  const resources: DraftResource[] = [];
  const take = (resource: DraftResource, workload: PlannedObject) => {
    for (const service of services.take(workload)) {
      taken.add(service);
      addObject(resource, service, []);
    }
  };
  for (const [at, name] of workloadNames(recorded, workloads).entries()) {
    const { object, images } = workloads[at]!;
    const resource = makeWorkloadResource(name, object, names);
    resources.push(resource);
    addObject(resource, object, images ?? findImages(object, index, describeRuled(object)));
    take(resource, object);
  }
  for (const object of others) {
    if (taken.has(object) || podTemplateLabels(object.object).length === 0) continue;
    taken.add(object);
    const resource = existingOrNewResource(object, names, resources);
    addObject(resource, object, []);
    take(resource, object);
  }
  return { resources, remaining: others.filter((object) => !taken.has(object)), rules };
}

/** Splits objects into workloads and others. */
function findWorkloads(
  objects: readonly RecordedObject[],
  rules: readonly WorkloadRule[],
  index: ImageIndex,
): { workloads: Workload[]; others: PlannedObject[] } {
  const workloads: Workload[] = [];
  const others: PlannedObject[] = [];
  for (const { object, position } of objects) {
    const matching = rules.filter((rule) => rule.matches(object));
    const imageLocators = matching.flatMap(({ locators }) => locators);
    const planned: PlannedObject = { object, position, imageLocators };
    if (matching.length > 0) {
      workloads.push({ object: planned, images: undefined });
      continue;
    }
    const name = objectName(object);
    const images = findImages(planned, index, (message) => `finding images in ${name}: ${message}`);
    if (images.length > 0) workloads.push({ object: planned, images });
    else others.push(planned);
  }
  return { workloads, others };
}

/** How Tilt tells of images in what a rule made a workload: it names the kind as well. */
function describeRuled({ object }: PlannedObject): (message: string) => string {
  return (message) => `finding image in ${object.kind}/${objectName(object)}: ${message}`;
}

function findImages(
  { object, imageLocators, position }: PlannedObject,
  index: ImageIndex,
  describe: (message: string) => string,
): ImageReference[] {
  try {
    return imagesOf(object, imageLocators, index.envSelectors);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new TiltfileError(describe(error.message), { positions: [position], cause: error });
  }
}

function workloadNames(recorded: Recorded, workloads: readonly Workload[]): string[] {
  const objects = workloads.map(({ object }) => object.object);
  const { workloadToResource } = recorded;
  if (workloadToResource === undefined) return uniqueNames(objects);
  const owners = new Map<string, KubernetesObject>();
  const { position } = workloadToResource;
  const fail = (reason: string, cause?: unknown) =>
    new TiltfileError(
      `${formatPosition(position)}: error applying workload_to_resource_function: ${reason}`,
      { positions: [position], cause },
    );
  return objects.map((object) => {
    let name: string;
    try {
      name = workloadToResource.name(workloadId(object));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const reason = `error determining resource name for '${workloadIdText(object)}': ${error.message}`;
      throw fail(reason, error);
    }
    const owner = owners.get(name);
    if (owner !== undefined) {
      throw fail(
        `both '${workloadIdText(object)}' and '${workloadIdText(owner)}' mapped to resource name '${name}'`,
      );
    }
    owners.set(name, object);
    return name;
  });
}

function workloadId(object: KubernetesObject): WorkloadId {
  return {
    name: objectName(object),
    kind: object.kind,
    namespace: objectNamespace(object),
    group: objectGroup(object),
  };
}

function workloadIdText(object: KubernetesObject): string {
  const { name, kind, namespace, group } = workloadId(object);
  return `${name}:${kind}:${namespace}:${group}`.toLowerCase();
}

function makeWorkloadResource(
  name: string,
  { object, position }: PlannedObject,
  names: ResourceNames,
): DraftResource {
  const conflict = names.conflict(name);
  if (conflict !== undefined) {
    throw new TiltfileError(
      `error making resource for workload ${workloadIdText(object)}: ${conflict}`,
      { positions: [position], resource: name },
    );
  }
  const resource = draftResource(name, position);
  names.add(resource);
  return resource;
}

/** An object with a pod template but no containers joins the resource that has its name. */
function existingOrNewResource(
  { object, position }: PlannedObject,
  names: ResourceNames,
  resources: DraftResource[],
): DraftResource {
  const name = objectName(object);
  const existing = names.get(name);
  if (existing !== undefined) return existing;
  const conflict = names.conflict(name);
  if (conflict !== undefined) {
    throw new TiltfileError(conflict, { positions: [position], resource: name });
  }
  const resource = draftResource(name, position);
  names.add(resource);
  resources.push(resource);
  return resource;
}
