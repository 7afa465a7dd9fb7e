/** What a `docker_build` is built on: images of the plan under their names in Docker, and images from outside. */

import { join } from "node:path";
import { PhaseFailure } from "../errors.ts";
import { baseImages, rewriteDockerfile } from "../manifests/dockerfile.ts";
import { familiarReference } from "../manifests/image-reference.ts";
import type { DockerBuild } from "../model/plan.ts";
import type { BuiltImage } from "./built-image.ts";
import { type Docker, DockerError } from "./docker.ts";
import { InfrastructureError, isInfrastructureText, isUnknownHost } from "./infrastructure.ts";
import { writeOciLayout } from "./oci-layout.ts";

/** Names of images of the plan replaced by what Docker knows them as. */
export function rewrittenDockerfile(
  image: DockerBuild,
  deps: ReadonlyMap<string, BuiltImage>,
): string {
  const replacements = new Map([...deps].map(([ref, built]) => [ref, built.contentRef]));
  return rewriteDockerfile(image.dockerfileContents, image.buildArgs, replacements);
}

/**
 * `pull=True` in a Dockerfile that also uses an image of the plan: the others are pulled here, since the builder
 * would look for this run's image in a registry too. Whether that was so.
 */
export async function pullBases(
  image: DockerBuild,
  deps: ReadonlyMap<string, BuiltImage>,
  docker: Docker,
  { onLine, signal }: { onLine(text: string): void; signal: AbortSignal },
): Promise<boolean> {
  if (!image.pull || deps.size === 0) return false;
  const rewritten = rewrittenDockerfile(image, deps);
  const own = new Set([...deps.values()].map(({ contentRef }) => contentRef));
  for (const { reference } of baseImages(rewritten, image.buildArgs)) {
    const ref = familiarReference(reference);
    if (own.has(ref)) continue;
    const { exitCode, stderr } = await docker.run(["pull", ref], { signal, onLine });
    if (exitCode === 0) continue;
    const error = new DockerError(`docker pull ${ref}`, stderr);
    const failure = new PhaseFailure({
      code: "BuildFailed",
      message: `Image "${image.ref}": cannot pull ${ref}: ${error.message}`,
      object: image.ref,
      position: image.position,
    });
    if (!isInfrastructureText(error.message)) throw failure;
    const lasting = isUnknownHost(error.message) ? failure : undefined;
    throw new InfrastructureError(error.message, { lasting });
  }
  return true;
}

/** A builder with a store of its own is given the images it builds on as OCI layouts. */
export async function namedContextsFor(
  deps: readonly BuiltImage[],
  scratch: string,
  docker: Docker,
  signal: AbortSignal,
): Promise<string[]> {
  const contexts: string[] = [];
  for (const [index, { contentRef }] of deps.entries()) {
    const directory = join(scratch, `base-${index}`);
    const digest = await writeOciLayout(docker.save([contentRef], signal), directory);
    contexts.push(`${contentRef}=oci-layout://${directory}@${digest}`);
  }
  return contexts;
}
