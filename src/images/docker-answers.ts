/** What Docker says of itself and its images, the same through its command line and its API. */

import { familiarReference, tryParseImageReference } from "../manifests/image-reference.ts";
import type { DockerInfo, LocalImage } from "./docker.ts";

/** An image as `docker image inspect` and `GET /images/NAME/json` show it. */
export interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly RootFS?: { readonly Layers?: readonly string[] };
  readonly Size?: number;
}

/** Whether a reference or id means this image. */
export function isNamed({ Id, RepoTags, RepoDigests }: InspectedImage, ref: string): boolean {
  if (Id === ref) return true;
  const reference = tryParseImageReference(ref);
  if (!reference) return false;
  const { domain, path, digest, tag } = reference;
  if (digest) {
    return (
      (RepoDigests ?? []).includes(familiarReference({ domain, path, digest })) || Id === digest
    );
  }
  return (RepoTags ?? []).includes(familiarReference({ domain, path, tag: tag ?? "latest" }));
}

/** What of it counts here. */
export function localImage({ Id, RepoTags, RootFS, Size }: InspectedImage): LocalImage {
  return { id: Id, repoTags: RepoTags ?? [], diffIds: RootFS?.Layers ?? [], size: Size ?? 0 };
}

/** Docker's description of itself: `docker info`, `GET /info`. */
export interface InfoOutput {
  readonly ServerVersion?: string;
  readonly ServerErrors?: readonly string[];
  readonly DockerRootDir?: string;
  readonly Driver?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
}

/** What of it counts here; undefined where it tells no version, as other engines do. */
export function dockerInfo(info: InfoOutput | undefined): DockerInfo | undefined {
  if (!info?.ServerVersion) return undefined;
  const status = info.DriverStatus ?? [];
  return {
    major: Number.parseInt(info.ServerVersion, 10) || 0,
    rootDirectory: info.DockerRootDir ?? "",
    storageDriver: info.Driver ?? "",
    containerdStore: status.some(([, value]) => value?.startsWith("io.containerd.snapshotter")),
  };
}
