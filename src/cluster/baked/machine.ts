/** What of `docker info` decides how a node's container is run. */
interface EngineInfo {
  readonly Driver?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
  readonly SecurityOptions?: readonly string[] | null;
}

const DEVICE_MAPPED = ["btrfs", "zfs", "xfs", "devicemapper"];

/**
 * The arguments that kind adds for this machine (kind 0.33, providers/docker/util.go), from the JSON of `docker info`.
 * Answers with the reason, as a clause, when a baked node cannot start there.
 */
export function machineArgs(info: string): readonly string[] | string {
  const { Driver = "", DriverStatus, SecurityOptions } = JSON.parse(info) as EngineInfo;
  const options = SecurityOptions ?? [];
  if (options.some((option) => option.includes("name=rootless"))) return "Docker is rootless";
  const backing = (DriverStatus ?? []).find(([name]) => name === "Backing Filesystem")?.[1] ?? "";
  // kind then has its nodes use another snapshotter than the one that the images were unpacked with
  if ([Driver, backing].some((name) => name.toLowerCase() === "zfs")) return "Docker is on ZFS";
  const isMapped = [Driver, backing].some((name) => DEVICE_MAPPED.includes(name.toLowerCase()));
  return [
    ...(options.some((option) => option.includes("name=userns")) ? ["--userns=host"] : []),
    ...(isMapped ? ["--volume", "/dev/mapper:/dev/mapper"] : []),
  ];
}

/** Whether Docker's client configuration (config.json) sets proxies: it and kind merge them in ways of their own. */
export function setsProxies(configJson: string): boolean {
  try {
    const { proxies } = JSON.parse(configJson) as { proxies?: object };
    return proxies !== undefined && Object.keys(proxies).length > 0;
  } catch {
    return false; // kind, too, goes on without a file that it cannot read
  }
}
