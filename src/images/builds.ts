import type { ImageBuild } from "../model/plan.ts";
import type { DeliveryTarget, Images, ImagesOptions } from "./api.ts";
import type { BuildStep } from "./build-progress.ts";
import type { BuiltImage } from "./built-image.ts";
import { buildCustomImage } from "./custom-build.ts";
import type { Docker } from "./docker.ts";
import { buildDockerImage } from "./docker-build.ts";
import { contentTag, namesOf, type RegistryAddress } from "./image-names.ts";
import { asInfrastructure, DEFAULT_RETRY, withRetry } from "./infrastructure.ts";
import { createLimit } from "./limit.ts";
import { runOtherBuild } from "./other-build.ts";

const DEFAULT_PARALLEL = 4;

/** `Images.build` and `Images.buildOther`. */
export function createBuilds(
  options: ImagesOptions,
  docker: Docker,
): Pick<Images, "build" | "buildOther"> {
  const { hooks, parallel = DEFAULT_PARALLEL, retry = DEFAULT_RETRY } = options;
  const limit = createLimit(parallel);
  const inTurn = <T>(ref: string, signal: AbortSignal, once: () => Promise<T>) =>
    limit(signal, () =>
      withRetry(
        () =>
          once().catch((error: unknown) => {
            throw asInfrastructure(error);
          }),
        {
          policy: retry,
          subject: `Cannot build "${ref}"`,
          signal,
          onRetry: (failure, attempt) => hooks.onRetry(ref, "build", failure, attempt),
        },
      ),
    );
  return {
    build: (image, deps, signal) =>
      inTurn(image.ref, signal, () => buildOnce(image, deps, options, docker, signal)),
    buildOther: (other, signal) =>
      inTurn(other.ref, signal, () =>
        runOtherBuild(other, options.host.clock, hooksOf(other, options, signal)),
      ),
  };
}

function hooksOf({ ref }: { readonly ref: string }, { hooks }: ImagesOptions, signal: AbortSignal) {
  return {
    signal,
    onLine: (text: string) => hooks.onLine(ref, text),
    onStep: (step: BuildStep) => hooks.onStep(ref, "build", step),
  };
}

async function buildOnce(
  image: ImageBuild,
  deps: ReadonlyMap<string, BuiltImage>,
  options: ImagesOptions,
  docker: Docker,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const { clock } = options.host;
  const startedAt = clock.monotonic();
  const hooks = hooksOf(image, options, signal);
  const settings = {
    cacheTo: [],
    cacheFrom: [],
    ...options,
    docker,
    platform: image.type === "docker" && image.platform ? undefined : await options.platform?.(),
  };
  if (image.type === "docker") {
    const { local, cached } = await buildDockerImage(image, deps, settings, hooks);
    const durationMs = clock.monotonic() - startedAt;
    // Only now: a registry that still starts holds up no build.
    const target = await options.target;
    const names = namesOf(image.ref, contentTag(local.id), registryOf(target));
    return { ref: image.ref, ...names, local, cached, durationMs, ...staysOf(image, target) };
  }
  const target = await options.target;
  const { names, local } = await buildCustomImage(image, deps, registryOf(target), settings, hooks);
  return {
    ref: image.ref,
    ...names,
    ...(local ? { local } : {}),
    cached: false,
    durationMs: clock.monotonic() - startedAt,
    ...staysOf(image, target),
  };
}

function registryOf(target: DeliveryTarget): RegistryAddress | undefined {
  return target.type === "registry" ? target.registry : undefined;
}

/** ci-engine.md §8: the first reason for which an image is not pushed. */
function staysOf(image: ImageBuild, target: DeliveryTarget): Pick<BuiltImage, "stays"> {
  if (image.type === "custom" && image.skipsLocalDocker) return { stays: "skips_local_docker" };
  if (image.type === "custom" && image.disablePush) return { stays: "disable_push" };
  if (!image.deployed) return { stays: "base only" };
  if (target.type === "none") return { stays: "nowhere to send it" };
  return {};
}
