import type { Host } from "../host/host.ts";
import {
  type BuilderInfo,
  type Docker,
  type DockerInfo,
  type DockerOptions,
  type ImageStore,
  missingDocker,
} from "./docker.ts";
import { findBuilder } from "./docker-builder.ts";
import { cliStore } from "./docker-cli.ts";
import { engineSocket } from "./docker-config.ts";
import { openEngine } from "./docker-engine.ts";
import { once } from "./once.ts";

/**
 * Docker with an environment. Its store is reached through the daemon's socket where that is on this machine: each
 * call of the command line costs 50 to 100 ms of CPU, and an image takes several.
 */
export function createDocker(
  host: Host,
  env: Readonly<Record<string, string>>,
  options: DockerOptions = {},
): Docker {
  // Attestations would give an unchanged image a new digest at each build.
  const environment = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1", DOCKER_CLI_HINTS: "false", ...env };
  const run: Docker["run"] = async (args, over = {}) => {
    try {
      return await host.run(["docker", ...args], { env: environment, ...over });
    } catch (error) {
      throw missingDocker(error);
    }
  };
  const stores = new Map<string, Promise<ImageStore>>();
  const infos = new Map<string, Promise<DockerInfo>>();
  const builders = new Map<string, Promise<BuilderInfo>>();
  const store = (signal: AbortSignal) =>
    once(stores, "", async () => {
      const socket = await engineSocket(environment);
      const engine = socket === undefined ? undefined : await openEngine(socket, signal);
      return engine ?? cliStore(run, host, environment);
    });
  return {
    run,
    builder: (signal) => once(builders, "", () => findBuilder(run, environment, options, signal)),
    info: (signal) => once(infos, "", async () => (await store(signal)).info(signal)),
    inspect: async (refs, signal) =>
      refs.length === 0 ? new Map() : (await store(signal)).inspect(refs, signal),
    tag: async (id, ref, signal) => (await store(signal)).tag(id, ref, signal),
    untag: async (refs, signal) =>
      refs.length === 0 ? undefined : (await store(signal)).untag(refs, signal),
    names: async (signal) => (await store(signal)).names(signal),
    async *save(refs, signal) {
      yield* (await store(signal)).save(refs, signal);
    },
  };
}
