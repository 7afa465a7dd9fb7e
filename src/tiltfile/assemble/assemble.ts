import { secretValues } from "../../manifests/kubernetes-objects.ts";
import type { ImageBuild, Plan, Resource, SecretValue } from "../../model/plan.ts";
import { checkName } from "../names.ts";
import type { Recorded } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import {
  assembleCompose,
  type ComposeDraft,
  checkComposeImages,
  toComposeProject,
} from "./compose-resources.ts";
import { checkNeverStarting, resolveDependencies } from "./dependencies.ts";
import { connectImages, type ImageUse, toImageBuild, withDependencies } from "./image-graph.ts";
import { type DraftImage, ImageIndex, reallyBuilt } from "./image-index.ts";
import {
  assembleKubernetes,
  type KubernetesDrafts,
  toKubernetesResource,
  uncategorizedResource,
} from "./kubernetes-resources.ts";
import {
  checkCustomDeployLiveUpdates,
  checkLiveUpdates,
  checkRestartSteps,
  checkUnusedSteps,
  type LiveUpdated,
} from "./live-update-checks.ts";
import { toLocalResource } from "./local-resources.ts";
import { checkObjectLimits } from "./object-limits.ts";
import { ResourceNames } from "./resource-names.ts";
import { selectResources } from "./selection.ts";
import { unusedImageWarning } from "./unused-images.ts";

/**
 * Makes the plan of what a Tiltfile recorded, in Tilt's order, so that of several mistakes the same one is reported:
 * images, Kubernetes, compose, unused images, the context, live updates, dependencies, selection
 * (tiltfile-api.md §1.4, §10). Warnings are added to those recorded.
 * @throws TiltfileError in Tilt's words
 */
export function assemble(recorded: Recorded): Plan {
  const index = new ImageIndex(recorded.images);
  connectImages(index);
  const names = new ResourceNames(recorded);
  const kubernetes = assembleKubernetes(recorded, index, names);
  const compose = assembleCompose(recorded, index);
  warnOfUnusedImages(recorded, index, kubernetes, compose);
  const users = imageUsers(kubernetes, compose);
  checkKubernetes(recorded, kubernetes);
  checkComposeImages(compose, withDependencies);
  checkLiveUpdates(users);
  checkCustomDeployLiveUpdates(kubernetes.resources);
  checkUnusedSteps(recorded.liveUpdateSteps);
  const resources = selectResources(
    checkNames(resolveDependencies(allResources(recorded, kubernetes, compose), recorded.warnings)),
    recorded.selection,
  );
  checkNeverStarting(resources);
  checkObjectLimits(resources);
  return {
    tiltfile: recorded.tiltfile,
    directory: recorded.directory,
    resources,
    images: imageBuilds(users),
    composeProjects: recorded.compose.projects.map(toComposeProject),
    settings: recorded.settings,
    environment: recorded.environment,
    warnings: [...recorded.warnings],
    secrets: secretsOf(recorded),
  };
}

function warnOfUnusedImages(
  recorded: Recorded,
  index: ImageIndex,
  { resources, remaining }: KubernetesDrafts,
  compose: readonly ComposeDraft[],
): void {
  const warning = unusedImageWarning(index, recorded.suppressUnusedImageWarnings, {
    hasKubernetesResources: resources.length > 0,
    hasOtherObjects: remaining.length > 0,
    hasCompose: compose.length > 0,
  });
  if (warning !== undefined) recorded.warnings.push(warning);
}

/** The resources that run images, in order, with the builds that they run themselves. */
function imageUsers(
  { resources }: KubernetesDrafts,
  compose: readonly ComposeDraft[],
): LiveUpdated[] {
  const users = [
    ...resources.map(({ name, images }) => ({ name, images: [...images] })),
    ...compose.map(({ resource, images }) => ({ name: resource.name, images })),
  ];
  for (const { name, images } of users) checkImageCycles(name, images);
  return users;
}

function checkImageCycles(resource: string, images: readonly DraftImage[]): void {
  try {
    withDependencies(images);
  } catch (error) {
    if (!(error instanceof TiltfileError)) throw error;
    const { message, positions } = error;
    throw new TiltfileError(`getting image build info for ${resource}: ${message}`, {
      positions,
      resource,
      cause: error,
    });
  }
}

/** Nothing goes to a cluster that could be production, and no image restarts its container there. */
function checkKubernetes(recorded: Recorded, { resources, remaining }: KubernetesDrafts): void {
  const users = resources.map(({ name, images }) => ({ name, images: [...images] }));
  checkRestartSteps(users, withDependencies);
  const { name, allowed } = recorded.kubeContext;
  if (allowed || (resources.length === 0 && remaining.length === 0)) return;
  throw new TiltfileError(
    `Stop! ${name} might be production.\n` +
      `If you're sure you want to deploy there, add:\n\tallow_k8s_contexts('${name}')\n` +
      "to your Tiltfile. Otherwise, switch k8s contexts and restart Tilt.",
    { positions: recorded.objects.slice(0, 1).map(({ position }) => position) },
  );
}

/** Custom deploys, workloads, object groups, compose, locals, and the rest of the objects. */
function allResources(
  recorded: Recorded,
  { resources, remaining, rules }: KubernetesDrafts,
  compose: readonly ComposeDraft[],
): Resource[] {
  const { triggerMode = "auto", tiltfile } = recorded;
  const uncategorized = uncategorizedResource(remaining, tiltfile);
  return [
    ...resources.map((draft) => toKubernetesResource(draft, rules, triggerMode)),
    ...compose.map(({ resource }) => resource),
    ...recorded.locals.map((local) => toLocalResource(local, triggerMode)),
    ...(uncategorized === undefined ? [] : [uncategorized]),
  ];
}

/** Names that come from YAML or functions have not been looked at yet. */
function checkNames(resources: readonly Resource[]): Resource[] {
  for (const { name, position } of resources) {
    try {
      checkName(name);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new TiltfileError(error.message, { positions: [position], resource: name });
    }
  }
  return [...resources];
}

/** The builds that any resource needs, dependencies first. */
function imageBuilds(users: readonly LiveUpdated[]): ImageBuild[] {
  const uses = new Map<DraftImage, ImageUse>();
  for (const { name, images } of users) {
    for (const image of withDependencies(reallyBuilt(images))) {
      const use = uses.get(image) ?? { usedBy: new Set(), deployed: false };
      uses.set(image, use);
      use.usedBy.add(name);
      if (images.includes(image)) use.deployed = true;
    }
  }
  return withDependencies([...uses.keys()]).map((image) => toImageBuild(image, uses.get(image)!));
}

function secretsOf({ settings, objects }: Recorded): SecretValue[] {
  return settings.scrubSecrets ? objects.flatMap(({ object }) => secretValues(object)) : [];
}
