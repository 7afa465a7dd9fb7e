import {
  familiarReference,
  type ImageReference,
  parseImageReference,
} from "../../manifests/image-reference.ts";
import { inApplyOrder } from "../../manifests/kubernetes-objects.ts";
import type {
  CustomResource,
  KubernetesResource,
  PlannedObject,
  ReadinessMode,
} from "../../model/plan.ts";
import type { Position } from "../../model/position.ts";
import type { Recorded, RecordedCustomDeploy } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { type DraftResource, draftResource } from "./draft-resource.ts";
import { refOf } from "./image-graph.ts";
import { type ImageIndex, reallyBuilt } from "./image-index.ts";
import { applyK8sResourceCalls, ObjectPool } from "./k8s-resource-calls.ts";
import type { WorkloadRule } from "./kind-rules.ts";
import { nearestHint } from "./nearest.ts";
import type { ResourceNames } from "./resource-names.ts";
import { groupWorkloads } from "./workloads.ts";

/** The Kubernetes half of a plan in the making. */
export interface KubernetesDrafts {
  /** Custom deploys, workloads in YAML order, object groups. */
  readonly resources: readonly DraftResource[];
  /** What is in none of them. */
  readonly remaining: readonly PlannedObject[];
  readonly rules: readonly WorkloadRule[];
}

/**
 * Groups objects into resources and finds the builds of their images.
 * @throws TiltfileError in Tilt's words
 */
export function assembleKubernetes(
  recorded: Recorded,
  index: ImageIndex,
  names: ResourceNames,
): KubernetesDrafts {
  const customDeploys = recorded.customDeploys.map((deploy) => makeCustomDeploy(deploy, names));
  const { resources: workloads, remaining, rules } = groupWorkloads(recorded, index, names);
  const taken = workloads.flatMap(({ objects }) => objects);
  const pool = new ObjectPool(taken, remaining);
  const groups = applyK8sResourceCalls(recorded.k8sResources, names, pool);
  const resources = [...customDeploys, ...workloads, ...groups];
  for (const resource of resources) findBuilds(resource, index);
  return { resources, remaining: pool.free, rules };
}

function makeCustomDeploy(deploy: RecordedCustomDeploy, names: ResourceNames): DraftResource {
  const { name, position } = deploy;
  const conflict = names.conflict(name);
  if (conflict !== undefined) {
    throw new TiltfileError(conflict, { positions: [position], resource: name });
  }
  const resource = draftResource(name, position, { customDeploy: deploy });
  names.add(resource);
  return resource;
}

function findBuilds(resource: DraftResource, index: ImageIndex): void {
  const { name, customDeploy, objects, position } = resource;
  if (objects.length === 0 && customDeploy === undefined) {
    throw new TiltfileError(
      `resource "${name}": could not associate any k8s_yaml() or k8s_custom_deploy() with this resource`,
      { positions: [position], resource: name },
    );
  }
  for (const reference of resource.imageReferences.values()) {
    const image = index.consume(reference);
    if (image !== undefined) resource.images.add(image);
  }
  for (const ref of customDeploy?.imageDeps ?? []) {
    const reference = parseImageReference(ref);
    const image = index.consume(reference);
    if (image === undefined) throw missingBuild(resource, reference, index);
    resource.images.add(image);
  }
}

function missingBuild(
  { name, position }: DraftResource,
  reference: ImageReference,
  index: ImageIndex,
): TiltfileError {
  const missing = familiarReference(reference);
  return new TiltfileError(`resource "${name}": image build "${missing}" not found`, {
    positions: [position],
    resource: name,
    hint: nearestHint(missing, index.images.map(refOf)),
  });
}

/** The resource as it stands in the plan; whether it is enabled is known later. */
export function toKubernetesResource(
  draft: DraftResource,
  rules: readonly WorkloadRule[],
  triggerMode: "auto" | "manual",
): KubernetesResource | CustomResource {
  const shared = {
    name: draft.name,
    position: draft.position,
    enabled: true,
    autoInit: draft.autoInit,
    triggerMode: draft.triggerMode ?? triggerMode,
    resourceDeps: draft.resourceDeps,
    labels: [...draft.labels],
    links: draft.links,
    readiness: readinessOf(draft, rules),
    images: reallyBuilt(draft.images).map(refOf),
    portForwards: draft.portForwards,
    extraPodSelectors: draft.extraPodSelectors,
    discoveryStrategy: draft.discoveryStrategy,
  };
  const { customDeploy } = draft;
  if (customDeploy === undefined) {
    return { ...shared, type: "k8s", objects: inApplyOrder(draft.objects, ({ object }) => object) };
  }
  const { applyCmd, deleteCmd, deps, imageSelector, containerSelector } = customDeploy;
  return {
    ...shared,
    type: "custom",
    applyCmd,
    deleteCmd,
    deps,
    ...(imageSelector === undefined ? {} : { imageSelector }),
    ...(containerSelector === undefined ? {} : { containerSelector }),
  };
}

/** The value of k8s_resource, else of the kinds' rules, else a guess (tiltfile-api.md §10, Readiness mode). */
function readinessOf(draft: DraftResource, rules: readonly WorkloadRule[]): ReadinessMode {
  if (draft.podReadiness !== undefined) return draft.podReadiness;
  const modes = new Set(
    draft.objects.flatMap(({ object }) =>
      rules.filter((rule) => rule.matches(object)).map(({ readiness }) => readiness),
    ),
  );
  for (const mode of ["wait", "ignore", "succeeded"] as const) {
    if (modes.has(mode)) return mode;
  }
  const makesNoPods =
    draft.isGroup && draft.extraPodSelectors.length === 0 && draft.images.size === 0;
  return makesNoPods ? "ignore" : "wait";
}

export const UNCATEGORIZED = "uncategorized";

/** The resource of all objects that no other one has. */
export function uncategorizedResource(
  objects: readonly PlannedObject[],
  tiltfile: string,
): KubernetesResource | undefined {
  if (objects.length === 0) return undefined;
  const position: Position = objects[0]?.position ?? { file: tiltfile, line: 1, column: 1 };
  return {
    type: "k8s",
    name: UNCATEGORIZED,
    position,
    enabled: true,
    autoInit: true,
    triggerMode: "auto",
    resourceDeps: [],
    labels: [],
    links: [],
    readiness: "ignore",
    objects: inApplyOrder(objects, ({ object }) => object),
    images: [],
    portForwards: [],
    extraPodSelectors: [],
    discoveryStrategy: "default",
  };
}
