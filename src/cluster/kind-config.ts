import { readFile } from "node:fs/promises";
import { dump, load } from "js-yaml";
import { messageOf, UsageError } from "../errors.ts";

/** A kind configuration (`kind.x-k8s.io/v1alpha4`), ready for `kind create cluster --config -`. */
export interface KindConfig {
  readonly yaml: string;
  /** Nodes that run Kubernetes: without the load balancer. */
  readonly nodes: number;
  readonly controlPlanes: number;
  readonly warnings: readonly string[];
}

interface Document {
  kind?: unknown;
  apiVersion?: unknown;
  nodes?: readonly { role?: unknown; image?: unknown }[];
  kubeadmConfigPatches?: readonly string[];
  containerdConfigPatches?: readonly string[];
  [key: string]: unknown;
}

const API_VERSION = "kind.x-k8s.io/v1alpha4";

/**
 * Patches that make a cluster for one CI run come up sooner (docs/performance.md, "boot"). Without `apiVersion`
 * they fit kubeadm's v1beta3 and, converted by kind, v1beta4; with one they apply to that version only.
 */
const KUBEADM_PATCHES: readonly object[] = [
  {
    kind: "ClusterConfiguration",
    controllerManager: {
      extraArgs: {
        // nobody to elect among: the controllers start 1–3 s sooner, as no lease has to be tried again
        "leader-elect": "false",
        // 20 requests a second is the default: starting 30 controllers with an account each takes 5 s of waiting
        "kube-api-qps": "300",
        "kube-api-burst": "600",
      },
    },
    scheduler: { extraArgs: { "leader-elect": "false" } },
  },
  // 16 RSA keys take about a second of one core, ECDSA keys nothing
  {
    kind: "ClusterConfiguration",
    apiVersion: "kubeadm.k8s.io/v1beta3",
    featureGates: { PublicKeysECDSA: true },
  },
  {
    kind: "ClusterConfiguration",
    apiVersion: "kubeadm.k8s.io/v1beta4",
    encryptionAlgorithm: "ECDSA-P256",
  },
  // kubelet-finalize restarts the kubelet, only to point it at the certificate that rotates a year from now; the
  // restart also delays every probe that starts in the 10 s after it (kubelet prober, worker.go)
  { kind: "InitConfiguration", skipPhases: ["preflight", "kubelet-finalize"] },
  {
    kind: "KubeletConfiguration",
    serializeImagePulls: false,
    // a rotated log is a log that a follower loses
    containerLogMaxSize: "200Mi",
  },
  // after one change kube-proxy waits a second before it programs the next: whatever depends on a pod is faster than
  // that. Zero would mean the default (SetDefaults_KubeProxyConfiguration)
  { kind: "KubeProxyConfiguration", iptables: { minSyncPeriod: "100ms" } },
];

/**
 * A lone etcd elects itself after 1 to 10 random ticks of 100 ms, and the API server waits for it. With shorter
 * ticks it takes a tenth. Not for several members, whose elections need time for messages.
 */
const LONE_ETCD_PATCH = {
  kind: "ClusterConfiguration",
  etcd: { local: { extraArgs: { "heartbeat-interval": "20", "election-timeout": "200" } } },
};

/**
 * The user's kind configuration with ours merged in: where both set something, the user's wins.
 * `text` is absent without `--kind-config`; `source` is its path, for messages. Throws `UsageError`.
 */
export function mergeKindConfig(text: string | undefined, source = "--kind-config"): KindConfig {
  const user = parse(text, source);
  const roles = (user.nodes ?? [{ role: "control-plane" }]).map(
    ({ role }) => role ?? "control-plane",
  );
  const controlPlanes = roles.filter((role) => role === "control-plane").length;
  const patches = [...KUBEADM_PATCHES, ...(controlPlanes === 1 ? [LONE_ETCD_PATCH] : [])];
  const config: Document = {
    ...user,
    kind: "Cluster",
    apiVersion: API_VERSION,
    kubeadmConfigPatches: [
      ...patches.map((patch) => dump(patch)),
      ...(user.kubeadmConfigPatches ?? []),
    ],
  };
  // the run names its cluster itself; kind would let a name in the file win over none, not over --name
  delete config.name;
  return {
    yaml: dump(config),
    nodes: roles.length,
    controlPlanes,
    warnings: warningsAbout(user, source),
  };
}

/** `mergeKindConfig()` of a file, if there is one. Throws `UsageError`. */
export async function readKindConfig(file: string | undefined): Promise<KindConfig> {
  if (file === undefined) return mergeKindConfig(undefined);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${messageOf(error)}`);
  }
  return mergeKindConfig(text, file);
}

function parse(text: string | undefined, source: string): Document {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    throw new UsageError(`Cannot read ${source}: ${messageOf(error).split("\n")[0]}`);
  }
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw new UsageError(`Cannot read ${source}: it is no YAML mapping`);
  const document = value as Document;
  if (document.kind !== undefined && document.kind !== "Cluster")
    throw new UsageError(`Cannot read ${source}: its kind is "${document.kind}", not "Cluster"`);
  if (document.apiVersion !== undefined && document.apiVersion !== API_VERSION)
    throw new UsageError(
      `Cannot read ${source}: its apiVersion is "${document.apiVersion}", not "${API_VERSION}"`,
    );
  for (const field of ["nodes", "kubeadmConfigPatches", "containerdConfigPatches"] as const) {
    if (document[field] !== undefined && !Array.isArray(document[field]))
      throw new UsageError(`Cannot read ${source}: "${field}" is no list`);
  }
  return document;
}

function warningsAbout(
  { containerdConfigPatches = [], name }: Document,
  source: string,
): readonly string[] {
  const warnings: string[] = [];
  if (containerdConfigPatches.some((patch) => /registry\.(mirrors|configs)\b/.test(String(patch))))
    warnings.push(
      `${source} patches registry.mirrors or registry.configs, which containerd 2.2 refuses; tilt-ci wires its registry through certs.d and needs no patch`,
    );
  if (name !== undefined)
    warnings.push(`${source} names the cluster "${name}": ignored, use --cluster-name`);
  return warnings;
}
