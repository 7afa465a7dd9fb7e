import type { ImageResult, PhaseResult, ResourceResult } from "../model/run-result.ts";

/** The images of a run, from the build and push phases of the resources that had them made. */
export function imageResults(resources: readonly ResourceResult[]): ImageResult[] {
  const phases = new Map<
    string,
    { readonly resource: string; build?: PhaseResult; push?: PhaseResult }
  >();
  for (const resource of resources)
    for (const phase of resource.phases) {
      if (phase.subject === undefined || (phase.name !== "build" && phase.name !== "push"))
        continue;
      const image = phases.get(phase.subject) ?? { resource: resource.name };
      // The phase that did the work, not one that shares its outcome.
      if (image[phase.name]?.startedAt == null) image[phase.name] = phase;
      phases.set(phase.subject, image);
    }
  return [...phases].map(([ref, { resource, build, push }]) => {
    const facts = { ...build?.facts, ...push?.facts };
    return {
      ref,
      resource,
      digest: textFact(facts.digest),
      sizeBytes: numberFact(facts.sizeBytes ?? facts.size),
      cacheHit: build?.cached ?? push?.cached ?? false,
      status:
        build?.status === "passed" || build === undefined ? (push ?? build)!.status : build.status,
      buildMs: build?.durationMs ?? 0,
      pushMs: push?.durationMs ?? 0,
      facts,
    };
  });
}

function textFact(fact: string | number | boolean | undefined): string | null {
  return typeof fact === "string" ? fact : null;
}

function numberFact(fact: string | number | boolean | undefined): number | null {
  return typeof fact === "number" ? fact : null;
}
