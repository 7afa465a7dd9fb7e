import {
  escapeImageName,
  familiarName,
  familiarReference,
  type ImageReference,
  parseImageReference,
  rewriteForRegistry,
  withTag,
} from "../manifests/image-reference.ts";

/** The registry that a run's images go to. */
export interface RegistryAddress {
  /** As this machine and its Docker reach it, `localhost:5001`. */
  readonly host: string;
  /** As the nodes' container runtime names it in `image:` fields, if otherwise. */
  readonly hostFromContainerRuntime?: string;
  /** `default_registry(single_name=)`: all images in one repository. */
  readonly singleName?: string;
  /** Made by this run and gone with it: tags that name it do not stay in Docker. */
  readonly ownedByRun?: boolean;
}

/** One image under its names. */
export interface ImageNames {
  /** Without a registry: stays in Docker, names the content whatever the run. */
  readonly contentRef: string;
  /** As this machine names it. */
  readonly localRef: string;
  /** As the cluster names it. */
  readonly clusterRef: string;
}

/** `tilt-` and 16 hex digits of the image's id (`sha256:…`). */
export function contentTag(imageId: string): string {
  return `tilt-${imageId.replace(/^sha256:/, "").slice(0, 16)}`;
}

/**
 * The names of an image with a tag, as ci-engine.md §8 has them; without a registry all three are the same.
 * Throws `ImageReferenceError` when the registry's host makes no reference.
 */
export function namesOf(
  ref: string,
  tag: string,
  registry: RegistryAddress | undefined,
): ImageNames {
  const name = nameOf(ref);
  const contentRef = familiarReference(withTag(name, tag));
  if (!registry) return { contentRef, localRef: contentRef, clusterRef: contentRef };
  const { host, hostFromContainerRuntime, singleName } = registry;
  const fullTag = singleName ? `${escapeImageName(baseName(name))}-${tag}` : tag;
  const under = (registryHost: string) =>
    familiarReference(
      withTag(
        rewriteForRegistry(name, { host: registryHost, ...(singleName ? { singleName } : {}) }),
        fullTag,
      ),
    );
  const localRef = under(host);
  return { contentRef, localRef, clusterRef: swapHost(localRef, host, hostFromContainerRuntime) };
}

/** A reference in the registry as the cluster names it; any other one as it is. */
export function swapHost(ref: string, host: string, clusterHost: string | undefined): string {
  return clusterHost && ref.startsWith(`${host}/`) ? clusterHost + ref.slice(host.length) : ref;
}

/** The name of an image without tag and digest. */
export function nameOf(ref: string): ImageReference {
  const { domain, path } = parseImageReference(ref);
  return { domain, path };
}

function baseName(name: ImageReference): string {
  return familiarName(name).split("/").at(-1)!;
}

/** Repository and tag of a reference inside a registry. */
export function repositoryOf(
  localRef: string,
  host: string,
): { readonly repository: string; readonly tag: string } {
  const [repository = "", tag = "latest"] = localRef.slice(host.length + 1).split(/:(?=[^/]*$)/);
  return { repository, tag };
}
