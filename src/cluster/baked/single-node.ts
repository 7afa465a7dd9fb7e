import { dump, load } from "js-yaml";

/** A folder of the host in the node, as kind's `extraMounts` names it. */
export interface ExtraMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly?: boolean;
  readonly selinuxRelabel?: boolean;
  readonly propagation?: string;
}

/** A published port of the node, as kind's `extraPortMappings` names it. */
export interface PortMapping {
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly listenAddress?: string;
  readonly protocol?: string;
}

/** A configuration of one node: what of it is inside a baked node, and what the node's container is given. */
export interface SingleNode {
  /** What ends up inside the node, as one text that is the same for the same settings. */
  readonly inside: string;
  /** The node image that the configuration names. */
  readonly image: string | undefined;
  readonly extraMounts: readonly ExtraMount[];
  readonly extraPortMappings: readonly PortMapping[];
  readonly apiServerAddress: string;
  /** As kind reads it: 0 is a free port, -1 leaves the choice to the engine. */
  readonly apiServerPort: number;
  readonly dnsSearch: readonly string[] | undefined;
  readonly podSubnet: string;
  readonly serviceSubnet: string;
}

interface Networking {
  readonly ipFamily?: string;
  readonly apiServerAddress?: string;
  readonly apiServerPort?: number;
  readonly disableDefaultCNI?: boolean;
  readonly dnsSearch?: readonly string[];
  readonly podSubnet?: string;
  readonly serviceSubnet?: string;
  readonly [other: string]: unknown;
}

interface Node {
  readonly role?: string;
  readonly image?: string;
  readonly extraMounts?: readonly ExtraMount[];
  readonly extraPortMappings?: readonly PortMapping[];
  readonly [other: string]: unknown;
}

/** What a baked node brings itself: a mount there would hide it. */
const BAKED_PATHS = ["/etc/kubernetes", "/kind", "/var"];

/**
 * Reads a kind configuration that is ready for `kind create` (`mergeKindConfig()`). Answers with the reason, as a
 * clause, when a cluster of it cannot start from a baked node.
 */
export function readSingleNode(yaml: string): SingleNode | string {
  const {
    nodes = [],
    networking = {},
    ...rest
  } = load(yaml) as Record<string, unknown> & {
    nodes?: readonly Node[];
    networking?: Networking;
  };
  const problem = problemOf(nodes, networking);
  if (problem) return problem;
  const { image, extraMounts = [], extraPortMappings = [], ...node } = nodes[0] ?? {};
  const { apiServerPort = 0, dnsSearch, ...network } = networking;
  return {
    inside: dump({ ...rest, nodes: [node], networking: network }, { sortKeys: true }),
    image,
    extraMounts,
    extraPortMappings,
    apiServerAddress: network.apiServerAddress ?? "127.0.0.1",
    apiServerPort,
    dnsSearch,
    podSubnet: network.podSubnet ?? "10.244.0.0/16",
    serviceSubnet: network.serviceSubnet ?? "10.96.0.0/16",
  };
}

function problemOf(nodes: readonly Node[], networking: Networking): string | undefined {
  if (nodes.length > 1) return "it has more than one node";
  if ((networking.ipFamily ?? "ipv4") !== "ipv4") return "its network is not IPv4 alone";
  if (networking.disableDefaultCNI) return "it has no pod network of kind's";
  const hidden = (nodes[0]?.extraMounts ?? []).find(({ containerPath }) =>
    BAKED_PATHS.some((path) => containerPath === path || isInside(containerPath, path)),
  );
  return hidden && `it mounts ${hidden.containerPath}, which a baked node brings itself`;
}

/** Single files below `/etc/kubernetes` are what audit policies are: they hide nothing that is baked. */
function isInside(containerPath: string, path: string): boolean {
  const baked = path === "/etc/kubernetes" ? `${path}/manifests` : path;
  return containerPath === baked || containerPath.startsWith(`${baked}/`);
}
