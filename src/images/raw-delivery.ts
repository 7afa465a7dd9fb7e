/**
 * Sends images to a registry on this machine layer by layer, as they are: `docker push` would compress every layer
 * first, 9 s of one core for a 230 MB base. Each blob goes up once, whoever asks for it; other repositories mount it.
 */

import { createHash } from "node:crypto";
import type { LocalImage } from "./docker.ts";
import { type Blob, type LayerSource, LayerSourceError } from "./layer-source.ts";
import { MANIFEST_TYPE, type RegistryClient, RegistryError } from "./registry-client.ts";

/** Where an image goes. */
export interface Destination {
  readonly repository: string;
  readonly tag: string;
}

/** What sending an image took. */
export interface Sent {
  /** Of the manifest. */
  readonly digest: string;
  readonly bytesUploaded: number;
  /** Nothing had to be sent. */
  readonly cached: boolean;
}

/** A blob that is in the registry. */
interface Home {
  readonly repository: string;
  readonly size: number;
}

/** A blob of an image in a repository and who sees to it. */
type Claim =
  | {
      readonly kind: "ours";
      readonly digest: string;
      readonly settle: (home: Home | Error) => void;
    }
  | { readonly kind: "theirs"; readonly digest: string; readonly home: Promise<Home> };

const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";

export class RawDelivery {
  readonly #registry: RegistryClient;
  readonly #sources: readonly LayerSource[];
  /** Blobs by digest: in the registry, or on their way. */
  readonly #homes = new Map<string, Promise<Home>>();

  /** `sources` are tried in order, the next one where one throws `LayerSourceError`. */
  constructor(registry: RegistryClient, sources: readonly LayerSource[]) {
    this.#registry = registry;
    this.#sources = sources;
  }

  /**
   * Sends an image whose layers Docker keeps uncompressed (its id is the digest of its configuration).
   * Throws `RegistryError`, `LayerSourceError`, `DockerError` and Node's network errors.
   */
  async send(image: LocalImage, to: Destination, signal: AbortSignal): Promise<Sent> {
    const digests = [...new Set([image.id, ...image.diffIds])];
    const sizes = new Map<string, number>();
    let bytesUploaded = 0;
    const claims = digests.map((digest) => this.#claim(digest));
    const ours = claims.filter((claim) => claim.kind === "ours");
    await this.#settleOurs(image, ours, to, signal, (blob) => {
      bytesUploaded += blob.size;
    });
    await Promise.all(
      claims.map(async ({ digest }) => {
        const home = await this.#homeOf(digest, image, to, signal);
        await this.#mount(digest, home, image, to, signal);
        sizes.set(digest, home.size);
      }),
    );
    const manifest = manifestOf(image, sizes);
    await this.#registry.putManifest(to.repository, to.tag, manifest, signal);
    return { digest: sha256(manifest), bytesUploaded, cached: bytesUploaded === 0 };
  }

  /** Takes a blob on, unless somebody has. Synchronous, so that no two deliveries take the same one. */
  #claim(digest: string): Claim {
    const known = this.#homes.get(digest);
    if (known !== undefined) return { kind: "theirs", digest, home: known };
    let settle: (home: Home | Error) => void = () => {};
    const home = new Promise<Home>((resolve, reject) => {
      settle = (result) => (result instanceof Error ? reject(result) : resolve(result));
    });
    this.#homes.set(digest, home);
    home.catch(() => this.#homes.delete(digest));
    return { kind: "ours", digest, settle };
  }

  /** Sees which of the claimed blobs the repository has and sends the others. */
  async #settleOurs(
    image: LocalImage,
    ours: readonly Extract<Claim, { kind: "ours" }>[],
    { repository }: Destination,
    signal: AbortSignal,
    onSent: (blob: Blob) => void,
  ): Promise<void> {
    const open = new Map(ours.map(({ digest, settle }) => [digest, settle]));
    const settle = (digest: string, home: Home) => {
      open.get(digest)?.(home);
      open.delete(digest);
    };
    try {
      await Promise.all(
        ours.map(async ({ digest }) => {
          const size = await this.#registry.blobSize(repository, digest, signal);
          if (size !== undefined) settle(digest, { repository, size });
        }),
      );
      await this.#fetch(image.id, open, signal, async (blob) => {
        await this.#registry.upload(repository, blob, signal);
        onSent(blob);
        settle(blob.digest, { repository, size: blob.size });
      });
    } catch (error) {
      for (const reject of open.values()) reject(error as Error);
      throw error;
    }
  }

  /** Hands the open blobs over from the first source that can give them; the sink takes them off the list. */
  async #fetch(
    imageId: string,
    open: ReadonlyMap<string, unknown>,
    signal: AbortSignal,
    sink: (blob: Blob) => Promise<void>,
  ): Promise<void> {
    let failure: unknown = new LayerSourceError("no source of layers");
    for (const source of this.#sources) {
      if (open.size === 0) return;
      try {
        await source.fetch(imageId, new Set(open.keys()), sink, signal);
      } catch (error) {
        if (!isSourceFault(error)) throw error;
        failure = error;
      }
    }
    if (open.size > 0) throw failure;
  }

  /** Where a blob is; sends it after all if the delivery that had taken it on has failed. */
  async #homeOf(
    digest: string,
    image: LocalImage,
    to: Destination,
    signal: AbortSignal,
  ): Promise<Home> {
    const known = this.#homes.get(digest);
    const home = await known?.catch(() => undefined);
    if (home) return home;
    const claim = this.#claim(digest);
    if (claim.kind === "ours") await this.#settleOurs(image, [claim], to, signal, () => {});
    return this.#homes.get(digest)!;
  }

  /** Makes a blob known in the repository it is wanted in. */
  async #mount(
    digest: string,
    home: Home,
    image: LocalImage,
    to: Destination,
    signal: AbortSignal,
  ): Promise<void> {
    if (home.repository === to.repository) return;
    if (await this.#registry.mount(to.repository, digest, home.repository, signal)) return;
    // Registries may refuse to mount: then it is sent twice.
    if ((await this.#registry.blobSize(to.repository, digest, signal)) !== undefined) return;
    const open = new Map([[digest, home]]);
    await this.#fetch(image.id, open, signal, async (blob) => {
      await this.#registry.upload(to.repository, blob, signal);
      open.delete(digest);
    });
  }
}

/** The source is at fault when it says so, or when the registry found other bytes than the digest promises. */
function isSourceFault(error: unknown): boolean {
  return (
    error instanceof LayerSourceError ||
    (error instanceof RegistryError && error.status === 400 && /digest/i.test(error.message))
  );
}

/** The image's manifest; the same bytes each time. */
function manifestOf({ id, diffIds }: LocalImage, sizes: ReadonlyMap<string, number>): Buffer {
  const descriptor = (mediaType: string) => (digest: string) => ({
    mediaType,
    digest,
    size: sizes.get(digest),
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor(CONFIG_TYPE)(id),
      layers: diffIds.map(descriptor(LAYER_TYPE)),
    }),
  );
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
