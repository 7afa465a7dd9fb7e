import { formatImageReference, type ImageReference } from "../../manifests/image-reference.ts";
import type { Link, PlannedObject, PortForward, ReadinessMode } from "../../model/plan.ts";
import type { Position } from "../../model/position.ts";
import type { RecordedCustomDeploy } from "../recorded.ts";
import type { DraftImage } from "./image-index.ts";

/** A Kubernetes resource while k8s_resource calls may still change it. */
export interface DraftResource {
  name: string;
  readonly position: Position;
  readonly customDeploy?: RecordedCustomDeploy;
  readonly objects: PlannedObject[];
  /** The images in its objects, by their normal form. */
  readonly imageReferences: Map<string, ImageReference>;
  /** The builds of those images. */
  readonly images: Set<DraftImage>;
  /** Made by `k8s_resource(new_name=…, objects=…)`. */
  readonly isGroup: boolean;
  readonly portForwards: PortForward[];
  readonly extraPodSelectors: Readonly<Record<string, string>>[];
  readonly resourceDeps: string[];
  readonly links: Link[];
  readonly labels: Set<string>;
  autoInit: boolean;
  triggerMode: "auto" | "manual" | undefined;
  podReadiness: ReadinessMode | undefined;
  discoveryStrategy: "default" | "selectors-only";
}

/** A resource that nothing was said about yet. */
export function draftResource(
  name: string,
  position: Position,
  options: { customDeploy?: RecordedCustomDeploy; isGroup?: boolean } = {},
): DraftResource {
  return {
    name,
    position,
    ...(options.customDeploy === undefined ? {} : { customDeploy: options.customDeploy }),
    objects: [],
    imageReferences: new Map(),
    images: new Set(),
    isGroup: options.isGroup ?? false,
    portForwards: [],
    extraPodSelectors: [],
    resourceDeps: [],
    links: [],
    labels: new Set(),
    autoInit: true,
    triggerMode: undefined,
    podReadiness: undefined,
    discoveryStrategy: "default",
  };
}

/** Takes an object and its images into a resource. */
export function addObject(
  resource: DraftResource,
  object: PlannedObject,
  images: readonly ImageReference[],
): void {
  resource.objects.push(object);
  for (const image of images) {
    const key = formatImageReference(image);
    if (!resource.imageReferences.has(key)) resource.imageReferences.set(key, image);
  }
}
