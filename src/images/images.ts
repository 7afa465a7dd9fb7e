import { PhaseFailure } from "../errors.ts";
import type { Images, ImagesOptions } from "./api.ts";
import { createBuilds } from "./builds.ts";
import { createDocker } from "./create-docker.ts";
import { createDeliveries } from "./deliveries.ts";
import { removeRegistryTags } from "./registry-tags.ts";

/** Builds the images of a run and brings them to its cluster. */
export function createImages(options: ImagesOptions): Images {
  const docker = createDocker(options.host, options.env, { builder: options.builder });
  const builds = createBuilds(options, docker);
  const deliveries = createDeliveries(options, docker);
  // Not unhandled if nobody builds anything.
  options.target.catch(() => {});
  return {
    ...builds,
    ...deliveries,
    async tag({ ref, local }, name, signal) {
      if (!local) {
        throw new PhaseFailure({
          code: "BuildFailed",
          message: `Image "${ref}" is not in the local Docker: its custom_build skips it`,
          object: ref,
        });
      }
      await docker.tag(local.id, name, signal);
    },
    async cleanUp(signal = new AbortController().signal) {
      await deliveries.close();
      const target = await options.target.catch(() => undefined);
      if (target?.type !== "registry" || !target.registry.ownedByRun) return;
      await removeRegistryTags(docker, target.registry.host, signal);
    },
  };
}
