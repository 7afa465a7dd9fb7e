import type { LocalImage } from "./docker.ts";
import type { ImageNames } from "./image-names.ts";

/** An image of the plan that has been built. */
export interface BuiltImage extends ImageNames {
  /** As in `ImageBuild.ref`. */
  readonly ref: string;
  /** The image in the local Docker; absent when the build's command keeps it elsewhere. */
  readonly local?: LocalImage;
  /** Every instruction came from the cache; never for commands. */
  readonly cached: boolean;
  readonly durationMs: number;
  /** Why it is not sent to the cluster; absent when it is. */
  readonly stays?: "base only" | "disable_push" | "skips_local_docker" | "nowhere to send it";
}

/** An image where the cluster can get it. */
export interface DeliveredImage {
  readonly ref: string;
  readonly clusterRef: string;
  /** Of the manifest in the registry, where it is known. */
  readonly digest?: string;
  /** Digests of its uncompressed layers, in order; none when the image is not in the local Docker. */
  readonly layers: readonly string[];
  readonly bytesUploaded: number;
  /** It was there already, or need not be there. */
  readonly cached: boolean;
  readonly durationMs: number;
}
