/** A program that the Action brings where the runner lacks it: a pinned version from its publisher. */
export interface Tool {
  readonly name: string;
  /** Without `v`: the tool cache's spelling. */
  readonly version: string;
  /** What is there already is used from this version on. */
  readonly minimum?: string;
  /** What is there already is used if it is of this very version. */
  readonly exact?: boolean;
  /** Prints the version. */
  readonly argv: readonly string[];
  /** The binary, or the archive that holds it. */
  readonly url: (arch: Arch) => string;
  /** Where the publisher keeps the SHA-256 of it: a file with the sum alone, or with lines `SUM  FILE`. */
  readonly checksumUrl: (arch: Arch) => string;
  /** Path of the binary in the archive; absent for a plain binary. */
  readonly inArchive?: (arch: Arch) => string;
}

/** The publishers' names of processor architectures. */
export type Arch = "amd64" | "arm64";

const GITHUB = "https://github.com/kubernetes-sigs";
const KIND = "0.33.0";
const KUBECTL = "1.36.4";
const HELM = "3.22.0";
const KUSTOMIZE = "5.8.1";

const kindUrl = (version: string, arch: Arch) =>
  `${GITHUB}/kind/releases/download/v${version}/kind-linux-${arch}`;
const kubectlUrl = (arch: Arch) =>
  `https://dl.k8s.io/release/v${KUBECTL}/bin/linux/${arch}/kubectl`;
const helmUrl = (arch: Arch) => `https://get.helm.sh/helm-v${HELM}-linux-${arch}.tar.gz`;
const kustomizeUrl = `${GITHUB}/kustomize/releases/download/kustomize%2Fv${KUSTOMIZE}`;

const VERSION = /^v?(\d+\.\d+\.\d+)$/;

/**
 * kind: of exactly this version, or for an empty text the pinned one, in whose place what is there is used unless it is too
 * old. A text that is no version counts as empty: the command line refuses it.
 */
export function kindTool(wanted = ""): Tool {
  const asked = VERSION.exec(wanted)?.[1];
  const version = asked ?? KIND;
  return {
    name: "kind",
    version,
    ...(asked === undefined ? { minimum: "0.27.0" } : { exact: true }),
    argv: ["kind", "version"],
    url: (arch) => kindUrl(version, arch),
    checksumUrl: (arch) => `${kindUrl(version, arch)}.sha256sum`,
  };
}

/** What Tiltfiles' commands and builtins call. */
export const TILTFILE_TOOLS: readonly Tool[] = [
  {
    name: "kubectl",
    version: KUBECTL,
    argv: ["kubectl", "version", "--client"],
    url: kubectlUrl,
    checksumUrl: (arch) => `${kubectlUrl(arch)}.sha256`,
  },
  {
    name: "helm",
    version: HELM,
    argv: ["helm", "version", "--short"],
    url: helmUrl,
    checksumUrl: (arch) => `${helmUrl(arch)}.sha256sum`,
    inArchive: (arch) => `linux-${arch}/helm`,
  },
  {
    name: "kustomize",
    version: KUSTOMIZE,
    argv: ["kustomize", "version"],
    url: (arch) => `${kustomizeUrl}/kustomize_v${KUSTOMIZE}_linux_${arch}.tar.gz`,
    checksumUrl: () => `${kustomizeUrl}/checksums.txt`,
    inArchive: () => "kustomize",
  },
];
