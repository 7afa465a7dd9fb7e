import { tmpdir } from "node:os";
import { join } from "node:path";
import { PhaseFailure } from "../errors.ts";
import type { Host } from "../host/host.ts";
import {
  familiarReference,
  formatImageReference,
  tryParseImageReference,
} from "../manifests/image-reference.ts";
import type { DockerBuild, ImageBuild } from "../model/plan.ts";
import type { Failure } from "../model/result.ts";
import { rootImage } from "./base-image.ts";
import type { BuildStep } from "./build-progress.ts";
import type { BuiltImage, DeliveredImage } from "./built-image.ts";
import { buildCustomImage } from "./custom-build.ts";
import { type Delivery, openDelivery } from "./delivery.ts";
import { createDocker, type Docker, type LocalImage } from "./docker.ts";
import { buildDockerImage } from "./docker-build.ts";
import { contentTag, namesOf, type RegistryAddress } from "./image-names.ts";
import { asInfrastructure, DEFAULT_RETRY, type RetryPolicy, withRetry } from "./infrastructure.ts";
import { createLimit } from "./limit.ts";
import { removeRegistryTags } from "./registry-tags.ts";

/** Where the cluster gets images from. */
export type DeliveryTarget =
  | { readonly type: "registry"; readonly registry: RegistryAddress }
  /** No registry: images are put into the nodes. */
  | { readonly type: "load"; readonly load: (ref: string, signal: AbortSignal) => Promise<void> }
  /** Docker itself runs them, or nothing does. */
  | { readonly type: "none" };

export interface ImagesOptions {
  readonly host: Host;
  /** Environment of builders and commands: that of the Tiltfile, in which `docker` is found. */
  readonly env: Readonly<Record<string, string>>;
  /** Builds start before it is known. A rejection becomes that of whatever needs it. */
  readonly target: Promise<DeliveryTarget>;
  /** `--builder`; buildx reads BUILDX_BUILDER by itself. */
  readonly builder?: string | undefined;
  readonly cacheTo?: readonly string[];
  readonly cacheFrom?: readonly string[];
  /** For images that ask for none. Docker's own when absent. */
  readonly platform?: string | undefined;
  /** Absolute paths that enter no build context: report directory, state directory. */
  readonly excludeFromContexts: readonly string[];
  /** Builds at the same time, 4 by default: BuildKit shares out the work inside. */
  readonly parallel?: number;
  readonly retry?: RetryPolicy;
  /** Where files for builders are put while they run; a directory of the system's by default. */
  readonly temporaryDirectory?: string;
  readonly hooks: ImagesHooks;
}

/** What a run is told while images are made. `image` is `ImageBuild.ref`, or a third-party reference. */
export interface ImagesHooks {
  onLine(image: string, text: string): void;
  onStep(image: string, phase: "build" | "push", step: BuildStep): void;
  onRetry(image: string, phase: "build" | "push", failure: Failure, attempt: number): void;
}

/** A third-party image that has been put into the registry. */
export interface MirroredImage {
  /** Familiar form: `python:3-alpine`. */
  readonly ref: string;
  /** Where the nodes find it, as they name the registry. */
  readonly clusterRef: string;
  readonly digest: string;
  readonly bytesUploaded: number;
}

export interface Images {
  /**
   * Builds an image; `deps` holds the built images of its `dependsOn` by their refs. Waits for its turn.
   * Throws `PhaseFailure` (BuildFailed, Infra), `CancelledError`, or what `target` rejected with.
   */
  build(
    image: ImageBuild,
    deps: ReadonlyMap<string, BuiltImage>,
    signal: AbortSignal,
  ): Promise<BuiltImage>;
  /** Brings a built image where the cluster gets it, once. Throws `PhaseFailure` (PushFailed, Infra). */
  deliver(built: BuiltImage, signal: AbortSignal): Promise<DeliveredImage>;
  /**
   * Puts the base images of deployed images into the registry, as far as Docker has them: what is built on them is
   * then small. An optimisation: a failure is left to `deliver`. Nothing without a registry that takes raw layers.
   */
  sendBaseImages(images: readonly ImageBuild[], signal: AbortSignal): Promise<MirroredImage[]>;
  /** Puts third-party images that Docker has into the registry, where the nodes look before they go to the internet. */
  mirrorThirdParty(refs: readonly string[], signal: AbortSignal): Promise<MirroredImage[]>;
  /** Gives a built image one more name in the local Docker: the one under which Compose runs it. */
  tag(built: BuiltImage, ref: string, signal: AbortSignal): Promise<void>;
  /** Takes the names of a registry of the run's own out of Docker. Content tags stay, and with them the layers. */
  cleanUp(signal?: AbortSignal): Promise<void>;
}

/** Repositories of other people's images in the run's registry: `mirror/docker.io/library/python`. */
const MIRROR_PREFIX = "mirror";
const DEFAULT_PARALLEL = 4;

/** Builds the images of a run and brings them to its cluster. */
export function createImages(options: ImagesOptions): Images {
  const { host, env, builder, hooks } = options;
  const docker = createDocker(host, env, builder);
  // Not unhandled if nobody builds anything.
  options.target.catch(() => {});
  return new DockerImages(options, docker, hooks);
}

class DockerImages implements Images {
  readonly #options: ImagesOptions;
  readonly #docker: Docker;
  readonly #hooks: ImagesHooks;
  readonly #limit: ReturnType<typeof createLimit>;
  readonly #retry: RetryPolicy;
  readonly #deliveries = new Map<string, Promise<DeliveredImage>>();
  readonly #mirrored = new Map<string, Promise<MirroredImage | undefined>>();
  #delivery: Promise<Delivery> | undefined;

  constructor(options: ImagesOptions, docker: Docker, hooks: ImagesHooks) {
    this.#options = options;
    this.#docker = docker;
    this.#hooks = hooks;
    this.#limit = createLimit(options.parallel ?? DEFAULT_PARALLEL);
    this.#retry = options.retry ?? DEFAULT_RETRY;
  }

  build(
    image: ImageBuild,
    deps: ReadonlyMap<string, BuiltImage>,
    signal: AbortSignal,
  ): Promise<BuiltImage> {
    return this.#limit(signal, () =>
      withRetry(
        () =>
          this.#buildOnce(image, deps, signal).catch((error: unknown) => {
            throw asInfrastructure(error);
          }),
        {
          policy: this.#retry,
          subject: `Cannot build "${image.ref}"`,
          signal,
          onRetry: (failure, attempt) => this.#hooks.onRetry(image.ref, "build", failure, attempt),
        },
      ),
    );
  }

  async #buildOnce(
    image: ImageBuild,
    deps: ReadonlyMap<string, BuiltImage>,
    signal: AbortSignal,
  ): Promise<BuiltImage> {
    const { clock } = this.#options.host;
    const startedAt = clock.monotonic();
    const hooks = {
      signal,
      onLine: (text: string) => this.#hooks.onLine(image.ref, text),
      onStep: (step: BuildStep) => this.#hooks.onStep(image.ref, "build", step),
    };
    const settings = {
      cacheTo: [],
      cacheFrom: [],
      temporaryDirectory: join(tmpdir(), "tilt-ci"),
      ...this.#options,
      docker: this.#docker,
    };
    if (image.type === "docker") {
      const { local, cached } = await buildDockerImage(image, deps, settings, hooks);
      const durationMs = clock.monotonic() - startedAt;
      const target = await this.#options.target;
      const names = namesOf(image.ref, contentTag(local.id), registryOf(target));
      return { ref: image.ref, ...names, local, cached, durationMs, ...staysOf(image, target) };
    }
    const target = await this.#options.target;
    const { names, local } = await buildCustomImage(
      image,
      deps,
      registryOf(target),
      settings,
      hooks,
    );
    const durationMs = clock.monotonic() - startedAt;
    return {
      ref: image.ref,
      ...names,
      ...(local ? { local } : {}),
      cached: false,
      durationMs,
      ...staysOf(image, target),
    };
  }

  deliver(built: BuiltImage, signal: AbortSignal): Promise<DeliveredImage> {
    const known = this.#deliveries.get(built.localRef);
    if (known) return known;
    const delivered = this.#deliver(built, signal);
    this.#deliveries.set(built.localRef, delivered);
    delivered.catch(() => this.#deliveries.delete(built.localRef));
    return delivered;
  }

  async #deliver(built: BuiltImage, signal: AbortSignal): Promise<DeliveredImage> {
    const { ref, clusterRef, local } = built;
    const { clock } = this.#options.host;
    const startedAt = clock.monotonic();
    const target = await this.#options.target;
    const done = (sent: Pick<DeliveredImage, "bytesUploaded" | "cached" | "digest">) => ({
      ref,
      clusterRef,
      ...sent,
      durationMs: clock.monotonic() - startedAt,
    });
    if (built.stays || !local || target.type === "none") {
      return done({ bytesUploaded: 0, cached: true });
    }
    if (target.type === "load") {
      await target.load(built.localRef, signal);
      return done({ bytesUploaded: local.size, cached: false });
    }
    return done(
      await withRetry(() => this.#send(built, local, target.registry, signal), {
        policy: this.#retry,
        subject: `Cannot push "${ref}"`,
        signal,
        onRetry: (failure, attempt) => this.#hooks.onRetry(ref, "push", failure, attempt),
      }),
    );
  }

  async #send(
    { ref, localRef, contentRef }: BuiltImage,
    local: LocalImage,
    registry: RegistryAddress,
    signal: AbortSignal,
  ): Promise<Pick<DeliveredImage, "bytesUploaded" | "cached" | "digest">> {
    const delivery = await this.#openDelivery(registry, signal);
    // A content tag names one image for good: a registry that outlives runs may have it.
    const isContentTag = localRef !== contentRef;
    const there = isContentTag ? await delivery.find(localRef, signal) : undefined;
    if (there) return { digest: there, bytesUploaded: 0, cached: true };
    return this.#step(ref, "upload", () =>
      delivery.send(local, localRef, signal, (line) => this.#hooks.onLine(ref, line)),
    );
  }

  async #step<T>(image: string, name: string, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#options.host;
    const startedAt = clock.now();
    const result = await work();
    this.#hooks.onStep(image, "push", { name, startedAt, at: clock.now() });
    return result;
  }

  #openDelivery(registry: RegistryAddress, signal: AbortSignal): Promise<Delivery> {
    if (this.#delivery) return this.#delivery;
    const opening = openDelivery(registry, this.#docker, signal).catch((error: unknown) => {
      this.#delivery = undefined;
      throw asInfrastructure(error);
    });
    this.#delivery = opening;
    return opening;
  }

  sendBaseImages(images: readonly ImageBuild[], signal: AbortSignal): Promise<MirroredImage[]> {
    const own = new Set(images.map(({ ref }) => ref));
    const roots = images
      .filter((image): image is DockerBuild => image.type === "docker" && image.deployed)
      .map(rootImage)
      .filter((root) => root !== undefined)
      .map(familiarReference)
      .filter((ref) => !own.has(ref));
    return this.mirrorThirdParty(roots, signal);
  }

  async mirrorThirdParty(refs: readonly string[], signal: AbortSignal): Promise<MirroredImage[]> {
    const target = await this.#options.target;
    if (target.type !== "registry") return [];
    const delivery = await this.#openDelivery(target.registry, signal);
    if (!delivery.isRaw) return [];
    const wanted = [...new Set(refs)];
    const local = await this.#docker.inspect(wanted, signal);
    const sent = await Promise.all(
      wanted.map((ref) => {
        const image = local.get(ref);
        return image && this.#mirror(ref, image, target.registry, delivery, signal);
      }),
    );
    return sent.filter((image) => image !== undefined);
  }

  #mirror(
    ref: string,
    image: LocalImage,
    registry: RegistryAddress,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<MirroredImage | undefined> {
    const reference = tryParseImageReference(ref);
    // A digest names bytes of the registry it comes from; uncompressed layers make another manifest.
    if (!reference || reference.digest) return Promise.resolve(undefined);
    const tag = reference.tag ?? "latest";
    const key = formatImageReference({ ...reference, tag });
    const known = this.#mirrored.get(key);
    if (known) return known;
    const repository = `${MIRROR_PREFIX}/${reference.domain}/${reference.path}`;
    const mirrored = this.#step(ref, `send ${ref}`, () =>
      delivery.sendRaw(image, { repository, tag }, signal),
    ).then(
      (sent) =>
        sent && {
          ref: familiarReference({ ...reference, tag }),
          clusterRef: `${registry.hostFromContainerRuntime ?? registry.host}/${repository}:${tag}`,
          digest: sent.digest,
          bytesUploaded: sent.bytesUploaded,
        },
    );
    this.#mirrored.set(key, mirrored);
    mirrored.catch(() => this.#mirrored.delete(key));
    return mirrored;
  }

  async tag(built: BuiltImage, ref: string, signal: AbortSignal): Promise<void> {
    if (!built.local) throw new PhaseFailure(notInDocker(built));
    await this.#docker.expect(["tag", built.local.id, ref], signal);
  }

  async cleanUp(signal: AbortSignal = new AbortController().signal): Promise<void> {
    (await this.#delivery?.catch(() => undefined))?.close();
    const target = await this.#options.target.catch(() => undefined);
    if (target?.type !== "registry" || !target.registry.ownedByRun) return;
    await removeRegistryTags(this.#docker, target.registry.host, signal);
  }
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

function notInDocker({ ref }: BuiltImage): Failure {
  return {
    code: "BuildFailed",
    message: `Image "${ref}" is not in the local Docker: its custom_build skips it`,
    object: ref,
  };
}
