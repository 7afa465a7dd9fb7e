import { tryParseImageReference } from "../../manifests/image-reference.ts";
import type { ComposeProject, ComposeResource } from "../../model/plan.ts";
import type { Recorded, RecordedComposeProject, RecordedComposeService } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { refOf } from "./image-graph.ts";
import { type DraftImage, type ImageIndex, reallyBuilt } from "./image-index.ts";

/** A compose service with the build of its image. */
export interface ComposeDraft {
  readonly resource: ComposeResource;
  readonly images: readonly DraftImage[];
}

/**
 * The resources of compose services, dependencies first, with the builds of their images.
 * @throws TiltfileError when something is asked for that compose cannot do
 */
export function assembleCompose(recorded: Recorded, index: ImageIndex): ComposeDraft[] {
  const { projects } = recorded.compose;
  const drafts = projects.flatMap((project) =>
    project.services.map((service) => toDraft(service, project, index, recorded.triggerMode)),
  );
  if (drafts.length > 0 && recorded.settings.defaultRegistry !== undefined) {
    throw new TiltfileError("default_registry is not supported with docker compose", {
      positions: [drafts[0]!.resource.position],
    });
  }
  return drafts;
}

function toDraft(
  service: RecordedComposeService,
  project: RecordedComposeProject,
  index: ImageIndex,
  triggerMode: "auto" | "manual" = "auto",
): ComposeDraft {
  const imageRef = service.givenImage ?? service.image;
  const reference = tryParseImageReference(imageRef);
  const image = reference === undefined ? undefined : index.consume(reference);
  const images = image === undefined ? [] : [image];
  const built = reallyBuilt(images);
  const resource: ComposeResource = {
    type: "compose",
    name: service.name,
    position: service.position,
    enabled: true,
    autoInit: service.autoInit,
    triggerMode: service.triggerMode ?? triggerMode,
    resourceDeps: dependenciesOf(service, project),
    labels: [...new Set(service.labels)],
    links: service.links,
    project: project.name,
    service: service.service,
    images: built.map(refOf),
    imageRef,
    composeBuild: service.hasBuild && built.length === 0,
    ...(service.buildFiles && { buildFiles: service.buildFiles }),
    hasHealthcheck: service.hasHealthcheck,
    dependsOn: service.dependsOn,
    ports: service.publishedPorts,
  };
  return { resource, images };
}

/** `depends_on` makes resources wait as `resource_deps` does, whatever its condition. */
function dependenciesOf(
  service: RecordedComposeService,
  { services }: RecordedComposeProject,
): string[] {
  const names = Object.keys(service.dependsOn).map(
    (dependency) => services.find((other) => other.service === dependency)?.name ?? dependency,
  );
  return [...new Set([...service.resourceDeps, ...names])];
}

/**
 * Refuses what compose has no place for.
 * @throws TiltfileError
 */
export function checkComposeImages(
  drafts: readonly ComposeDraft[],
  needed: (images: readonly DraftImage[]) => DraftImage[],
): void {
  for (const { resource, images } of drafts) {
    for (const { recorded } of needed(images)) {
      if (recorded.entrypoint === undefined) continue;
      throw new TiltfileError(
        "docker_build/custom_build.entrypoint not supported for Docker Compose resources",
        { positions: [recorded.position], resource: resource.name },
      );
    }
  }
}

/** The compose project as a run needs it. */
export function toComposeProject(project: RecordedComposeProject): ComposeProject {
  const { name, directory, files, envFile, profiles, wait } = project;
  return { name, directory, files, ...(envFile === undefined ? {} : { envFile }), profiles, wait };
}
