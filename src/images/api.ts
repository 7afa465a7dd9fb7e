import type { Host } from "../host/host.ts";
import type { ImageBuild } from "../model/plan.ts";
import type { Failure } from "../model/result.ts";
import type { BuildStep } from "./build-progress.ts";
import type { BuiltImage, DeliveredImage } from "./built-image.ts";
import type { RegistryAddress } from "./image-names.ts";
import type { RetryPolicy } from "./infrastructure.ts";
import type { OtherBuild } from "./other-build.ts";

/** Where the cluster gets images from. */
export type DeliveryTarget =
  | { readonly type: "registry"; readonly registry: RegistryAddress }
  /** No registry: images are put into the nodes. */
  | { readonly type: "load"; readonly load: (ref: string, signal: AbortSignal) => Promise<void> }
  /** No registry of the cluster's: they are pushed under their own names, as the cluster then pulls them. */
  | { readonly type: "push" }
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
  /**
   * That of the cluster's nodes, for images that ask for none: builds wait for it. Docker's own when absent or
   * undefined. A rejection becomes that of the build.
   */
  readonly platform?: () => Promise<string | undefined>;
  /** Absolute paths that enter no build context: report directory, state directory. */
  readonly excludeFromContexts: readonly string[];
  /** Builds at the same time, 4 by default: BuildKit shares out the work inside. */
  readonly parallel?: number;
  readonly retry?: RetryPolicy;
  /** Where files for builders are put while they run: a directory that nothing else uses. */
  readonly temporaryDirectory: string;
  readonly hooks: ImagesHooks;
}

/** What a run is told while images are made. `image` is `ImageBuild.ref`, or a third-party reference. */
export interface ImagesHooks {
  onLine(image: string, text: string): void;
  onStep(image: string, phase: "build" | "push", step: BuildStep): void;
  onRetry(image: string, phase: "build" | "push", failure: Failure, attempt: number): void;
  /** Something that helps did not work; the run goes on without it. */
  onWarning(message: string): void;
}

/** A third-party image that has been put into the registry. */
export interface MirroredImage {
  /** Familiar form: `python:3-alpine`. */
  readonly ref: string;
  /** Where the nodes find it, as they name the registry. */
  readonly clusterRef: string;
  readonly digest: string;
  /** Digests of its uncompressed layers, in order. */
  readonly layers: readonly string[];
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
  /** Has an image built that stays in the local Docker; waits for its turn. Throws as `build`. */
  buildOther(other: OtherBuild, signal: AbortSignal): Promise<{ readonly cached: boolean }>;
  /** Brings a built image where the cluster gets it, once. Throws `PhaseFailure` (PushFailed, Infra). */
  deliver(built: BuiltImage, signal: AbortSignal): Promise<DeliveredImage>;
  /**
   * Puts the base images of deployed images into the registry, as far as Docker has them: what is built on them is
   * then small. Nothing without a registry that takes raw layers; a failure is a warning, since `deliver` sends all.
   */
  sendBaseImages(images: readonly ImageBuild[], signal: AbortSignal): Promise<MirroredImage[]>;
  /**
   * Puts third-party images that Docker has into the registry, where the nodes look before they go to the internet.
   * A failure is a warning. Rejects with `CancelledError`, or what `target` rejected with.
   */
  mirrorThirdParty(refs: readonly string[], signal: AbortSignal): Promise<MirroredImage[]>;
  /** Gives a built image one more name in the local Docker: the one under which Compose runs it. */
  tag(built: BuiltImage, ref: string, signal: AbortSignal): Promise<void>;
  /** Takes the names of a registry of the run's own out of Docker. Content tags stay, and with them the layers. */
  cleanUp(signal?: AbortSignal): Promise<void>;
}
