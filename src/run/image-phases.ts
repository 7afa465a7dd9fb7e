import type { Graph } from "../engine/index.ts";
import { CLUSTER_SUBJECT, type PhaseName } from "../model/result.ts";

/** The phase under which something about an image is told. */
export interface ImagePhase {
  readonly resource: string;
  readonly phase: PhaseName;
  readonly subject?: string;
}

/**
 * Tells of a built image under the resource that builds it. Other images (bases and other people's, which only travel to
 * the registry) have no build and no push of their own: they are part of filling the registry.
 */
export function imagePhases(graph: Graph): (image: string, phase: "build" | "push") => ImagePhase {
  const owners = new Map<string, string>();
  for (const { subject, resource } of graph.tasks.values())
    if (subject !== undefined) owners.set(subject, resource);
  return (image, phase) => {
    const resource = owners.get(image);
    return resource === undefined
      ? { resource: CLUSTER_SUBJECT, phase: "registry" }
      : { resource, phase, subject: image };
  };
}
