import { CancelledError, messageOf } from "../errors.ts";
import {
  familiarReference,
  parseImageReference,
  tryParseImageReference,
} from "../manifests/image-reference.ts";
import type { DockerBuild } from "../model/plan.ts";
import type { Images, ImagesOptions, MirroredImage } from "./api.ts";
import { rootImage } from "./base-image.ts";
import type { BuiltImage, DeliveredImage } from "./built-image.ts";
import { type Delivery, openDelivery, pushWithDocker } from "./delivery.ts";
import type { Docker, LocalImage } from "./docker.ts";
import type { RegistryAddress } from "./image-names.ts";
import { asInfrastructure, PUSH_RETRY, withRetry } from "./infrastructure.ts";
import { once } from "./once.ts";
import type { Sent } from "./raw-delivery.ts";

/** Repositories of other people's images in the run's registry: `mirror/docker.io/library/python`. */
const MIRROR_PREFIX = "mirror";

type Sending = Pick<DeliveredImage, "bytesUploaded" | "cached" | "digest">;

/** The parts of `Images` that bring images to the cluster; `close` ends the connections to the registry. */
export function createDeliveries(
  options: ImagesOptions,
  docker: Docker,
): Pick<Images, "deliver" | "sendBaseImages" | "mirrorThirdParty"> & { close(): Promise<void> } {
  return new Deliveries(options, docker);
}

class Deliveries {
  readonly #options: ImagesOptions;
  readonly #docker: Docker;
  readonly #delivered = new Map<string, Promise<DeliveredImage>>();
  readonly #mirrored = new Map<string, Promise<MirroredImage | undefined>>();
  readonly #warned = new Set<string>();
  #delivery: Promise<Delivery> | undefined;

  constructor(options: ImagesOptions, docker: Docker) {
    this.#options = options;
    this.#docker = docker;
  }

  readonly deliver: Images["deliver"] = (built, signal) =>
    once(this.#delivered, built.localRef, () => this.#deliver(built, signal));

  readonly sendBaseImages: Images["sendBaseImages"] = (images, signal) => {
    const own = new Set(images.map(({ ref }) => ref));
    const roots = images
      .filter((image): image is DockerBuild => image.type === "docker" && image.deployed)
      .map(rootImage)
      .filter((root) => root !== undefined)
      .map(familiarReference)
      .filter((ref) => !own.has(ref));
    return this.mirrorThirdParty(roots, signal);
  };

  readonly mirrorThirdParty: Images["mirrorThirdParty"] = async (refs, signal) => {
    const target = await this.#options.target;
    const wanted = [...new Set(refs.map(normalForm).filter((ref) => ref !== undefined))];
    if (target.type !== "registry" || wanted.length === 0) return [];
    const warn = (what: string) => (error: unknown) => {
      if (signal.aborted) throw new CancelledError();
      this.#warn(`${what} not put into the registry ahead: ${messageOf(error)}`);
      return undefined;
    };
    const delivery = await this.#open(target.registry, signal).catch(warn("Images"));
    if (!delivery?.isRaw) return [];
    const local = await this.#docker.inspect(wanted, signal).catch(warn("Images"));
    const sent = await Promise.all(
      [...(local ?? [])].map(([ref, image]) =>
        this.#mirror(ref, image, target.registry, delivery, signal).catch(warn(`Image ${ref}`)),
      ),
    );
    return sent.filter((image) => image !== undefined);
  };

  /** Images are asked for by several, and what keeps them is told once. */
  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.hooks.onWarning(message);
  }

  readonly close = async (): Promise<void> => {
    (await this.#delivery?.catch(() => undefined))?.close();
  };

  async #deliver(built: BuiltImage, signal: AbortSignal): Promise<DeliveredImage> {
    const { clock } = this.#options.host;
    const startedAt = clock.monotonic();
    const sent = await this.#bring(built, signal);
    const { ref, clusterRef, local } = built;
    const layers = local?.diffIds ?? [];
    return { ref, clusterRef, layers, ...sent, durationMs: clock.monotonic() - startedAt };
  }

  async #bring(built: BuiltImage, signal: AbortSignal): Promise<Sending> {
    const { ref, local, stays } = built;
    const target = await this.#options.target;
    if (stays || !local || target.type === "none") return { bytesUploaded: 0, cached: true };
    if (target.type === "load") {
      await target.load(built.localRef, signal);
      return { bytesUploaded: local.size, cached: false };
    }
    const { hooks, retry = PUSH_RETRY } = this.#options;
    const send =
      target.type === "push"
        ? () => this.#push(built, local, signal)
        : () => this.#send(built, local, target.registry, signal);
    return withRetry(send, {
      policy: retry,
      subject: `Cannot push "${ref}"`,
      signal,
      onRetry: (failure, attempt) => hooks.onRetry(ref, "push", failure, attempt),
    });
  }

  async #send(
    { ref, localRef, contentRef }: BuiltImage,
    local: LocalImage,
    registry: RegistryAddress,
    signal: AbortSignal,
  ): Promise<Sending> {
    const delivery = await this.#open(registry, signal);
    // A content tag names one image for good: a registry that outlives runs may have it.
    const there = localRef === contentRef ? undefined : await delivery.find(localRef, signal);
    if (there) return { digest: there, bytesUploaded: 0, cached: true };
    return this.#step(ref, "upload", () =>
      delivery.send(local, localRef, signal, (line) => this.#options.hooks.onLine(ref, line)),
    );
  }

  #push({ ref, localRef }: BuiltImage, local: LocalImage, signal: AbortSignal): Promise<Sent> {
    const onLine = (line: string) => this.#options.hooks.onLine(ref, line);
    return this.#step(ref, "upload", () =>
      pushWithDocker(this.#docker, local, localRef, signal, onLine),
    );
  }

  async #step<T>(image: string, name: string, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#options.host;
    const startedAt = clock.now();
    const result = await work();
    this.#options.hooks.onStep(image, "push", { name, startedAt, at: clock.now() });
    return result;
  }

  #open(registry: RegistryAddress, signal: AbortSignal): Promise<Delivery> {
    this.#delivery ??= openDelivery(registry, this.#docker, signal).catch((error: unknown) => {
      this.#delivery = undefined;
      throw asInfrastructure(error);
    });
    return this.#delivery;
  }

  #mirror(
    ref: string,
    image: LocalImage,
    registry: RegistryAddress,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<MirroredImage | undefined> {
    const reference = parseImageReference(ref);
    // A digest names bytes of the registry it comes from; uncompressed layers make another manifest.
    if (reference.digest) return Promise.resolve(undefined);
    const { domain, path, tag = "latest" } = reference;
    const repository = `${MIRROR_PREFIX}/${domain}/${path}`;
    return once(this.#mirrored, ref, async () => {
      const sent = await this.#step(ref, `send ${ref}`, () =>
        delivery.sendRaw(image, { repository, tag }, signal),
      );
      if (!sent) return undefined;
      const host = registry.hostFromContainerRuntime ?? registry.host;
      return {
        ref,
        clusterRef: `${host}/${repository}:${tag}`,
        digest: sent.digest,
        layers: image.diffIds,
        bytesUploaded: sent.bytesUploaded,
      };
    });
  }
}

/** A reference as people write it, with its tag; undefined for what is none. */
function normalForm(ref: string): string | undefined {
  const reference = tryParseImageReference(ref);
  if (!reference) return undefined;
  const { tag, digest } = reference;
  return familiarReference(tag || digest ? reference : { ...reference, tag: "latest" });
}
