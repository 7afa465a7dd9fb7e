import type { ExtraMount, PortMapping, SingleNode } from "./single-node.ts";

const CONTAINER_API_PORT = 6443;

export interface NodeContainerOptions {
  readonly clusterName: string;
  readonly image: string;
  readonly network: string;
  readonly node: Omit<SingleNode, "inside" | "image">;
  /** The API server's port on the host; 0 leaves the choice to the engine. */
  readonly apiPort: number;
  /** Proxy variables of the node, complete (`nodeProxies()`). */
  readonly proxies: Readonly<Record<string, string>>;
  /** What the machine needs, `machineArgs()`. */
  readonly machine: readonly string[];
  /** Turns a relative host path of the configuration into an absolute one. */
  resolve(path: string): string;
}

/** The name of a cluster's only node, its container and its host. */
export function nodeNameOf(clusterName: string): string {
  return `${clusterName}-control-plane`;
}

/** `docker run` as kind runs a control plane (kind 0.33, providers/docker/provision.go), without the command. */
export function nodeRunArgs({
  clusterName,
  image,
  network,
  node,
  apiPort,
  proxies,
  machine,
  resolve,
}: NodeContainerOptions): readonly string[] {
  const name = nodeNameOf(clusterName);
  const { apiServerAddress, dnsSearch, extraMounts, extraPortMappings } = node;
  const api = {
    listenAddress: apiServerAddress,
    hostPort: apiPort,
    containerPort: CONTAINER_API_PORT,
  };
  return [
    ...["run", "--name", name, "--hostname", name],
    ...["--label", "io.x-k8s.kind.role=control-plane"],
    ...["--privileged", "--security-opt", "seccomp=unconfined"],
    ...["--security-opt", "apparmor=unconfined"],
    ...["--tmpfs", "/tmp", "--tmpfs", "/run", "--volume", "/var"],
    ...["--volume", "/lib/modules:/lib/modules:ro"],
    ...["-e", "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER"],
    ...["--detach", "--tty", "--label", `io.x-k8s.kind.cluster=${clusterName}`],
    ...["--net", network, "--restart=on-failure:1", "--init=false", "--cgroupns=private"],
    ...Object.entries(proxies).flatMap(([key, value]) => ["-e", `${key}=${value}`]),
    ...machine,
    ...(dnsSearch ? ["-e", `KIND_DNS_SEARCH=${dnsSearch.join(" ")}`] : []),
    ...extraMounts.map((mount) => mountArg(mount, resolve)),
    ...[...extraPortMappings, api].map(publishArg),
    ...["-e", "KUBECONFIG=/etc/kubernetes/admin.conf"],
    image,
  ];
}

function mountArg(mount: ExtraMount, resolve: (path: string) => string): string {
  const options = [
    ...(mount.readOnly ? ["ro"] : []),
    ...(mount.selinuxRelabel ? ["Z"] : []),
    ...(mount.propagation === "Bidirectional" ? ["rshared"] : []),
    ...(mount.propagation === "HostToContainer" ? ["rslave"] : []),
  ];
  const bind = `${resolve(mount.hostPath)}:${mount.containerPath}`;
  return `--volume=${bind}${options.length > 0 ? `:${options.join(",")}` : ""}`;
}

function publishArg({ listenAddress, hostPort = 0, containerPort, protocol }: PortMapping): string {
  const address = listenAddress || "0.0.0.0";
  const host = address.includes(":") ? `[${address}]` : address;
  return `--publish=${host}:${Math.max(hostPort, 0)}:${containerPort}/${protocol || "TCP"}`;
}

/**
 * The proxy variables that kind gives a node: those of the environment, and NO_PROXY for all that is inside. Empty
 * without a proxy. `direct` are names and address ranges that need none.
 */
export function nodeProxies(
  env: Readonly<Record<string, string>>,
  direct: readonly string[],
): Readonly<Record<string, string>> {
  const found = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name): [string, string][] => {
    const value = env[name] || env[name.toLowerCase()];
    return value ? [[name, value]] : [];
  });
  if (found.length === 0) return {};
  const given = Object.fromEntries(found);
  const inside = [...direct, ".svc", ".svc.cluster", ".svc.cluster.local"];
  const all = { ...given, NO_PROXY: [given.NO_PROXY, ...inside].filter(Boolean).join(",") };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );
}
