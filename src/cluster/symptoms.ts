import type { CommandOutcome } from "../host/host.ts";

/** What a tool's output means: one sentence, what to do, and whether another try may well succeed. */
export interface Symptom {
  readonly message: string;
  readonly hint?: string;
  readonly retry: boolean;
}

type Row = readonly [pattern: RegExp, symptom: Symptom];

const fatal = (message: string, hint?: string): Symptom => ({
  message,
  ...(hint ? { hint } : {}),
  retry: false,
});
const flake = (message: string, hint?: string): Symptom => ({
  ...fatal(message, hint),
  retry: true,
});

/** First match wins: what is wrong with the machine stands before what follows from it (cluster.md §1.5). */
const SYMPTOMS: readonly Row[] = [
  [
    /permission denied while trying to connect to the [Dd]ocker/,
    fatal(
      "The container engine's socket may not be used by this user",
      "Add the user to the group docker, or run as a user who may use Docker",
    ),
  ],
  [
    /Cannot connect to the Docker daemon|Is the docker daemon running|failed to connect to the docker API|unable to connect to Podman socket/i,
    fatal("The container engine is not running", "Start Docker, or set DOCKER_HOST to an engine"),
  ],
  [
    /no space left on device|disk quota exceeded/i,
    fatal("The disk of the container engine is full", "Free space there: docker system df"),
  ],
  [
    /`?mirrors`? cannot be set when `?config_path`? is provided/,
    fatal(
      "The kind configuration sets registry.mirrors, which this node image's containerd refuses",
      "Remove the registry.mirrors patch: tilt-ci configures registries through certs.d",
    ),
  ],
  [
    /toomanyrequests|pull rate limit|rate limit exceeded/i,
    fatal(
      "The registry of the node image limits anonymous pulls",
      "Log in with docker login, or give --node-image a mirror",
    ),
  ],
  [
    /could not find a log line that matches|too many open files|inotify/,
    fatal(
      "The node did not start: the machine has too few inotify instances",
      "Run: sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288",
    ),
  ],
  [
    /Couldn't find an alternative telinit implementation/,
    fatal(
      "The node did not start: the Docker daemon runs every container under its own init",
      'Remove "init": true from daemon.json',
    ),
  ],
  [
    /failed to get rootfs info|could not find device with major/,
    fatal(
      "The kubelet cannot read the node's disk (btrfs, ZFS or LUKS)",
      "Mount the device into the nodes with extraMounts in --kind-config",
    ),
  ],
  [
    /requires cgroup v2|cgroup v1 is not supported|kubelet is configured to not run on a host using cgroup v1/i,
    fatal(
      "This node image needs cgroup v2, which the machine does not have",
      "Use a node image of Kubernetes 1.34 or older, or boot with systemd.unified_cgroup_hierarchy=1",
    ),
  ],
  [
    /non-overlapping|all predefined address pools have been fully subnetted|overlaps with other one on this address space/i,
    flake(
      "The container engine has no free address range for the network of kind",
      "Remove unused networks, or set default-address-pools in daemon.json",
    ),
  ],
  [
    /node\(s\) already exist for a cluster|[Cc]onflict\. The container name .* is already in use/,
    flake("A cluster of that name exists already", "Give another --cluster-name"),
  ],
  [
    /port is already allocated|address already in use|Ports are not available/,
    flake("A port that was free a moment ago is taken"),
  ],
  [/network \S+ not found|[Nn]o such network/, flake("The network of kind went away")],
  [/failed to lock config file/, flake("The kubeconfig is locked by another program")],
  [
    /removal of container .* is already in progress|did not receive an exit event|marked for removal/,
    flake("The container engine is still removing a container"),
  ],
  [
    /unknown phase|invalid phase name|unrecognized feature-gate|strict decoding error|error unmarshaling/i,
    fatal(
      "kubeadm does not understand the cluster's configuration",
      "Check the kubeadmConfigPatches of --kind-config against this Kubernetes version",
    ),
  ],
  [
    /failed to pull image|pull access denied|manifest unknown|failed to resolve reference|lookup \S+.*no such host/,
    fatal(
      "The node image is not on this machine and cannot be pulled",
      "Pull it beforehand, or give --node-image one that is there",
    ),
  ],
  [
    /wait-control-plane|couldn't initialize a Kubernetes cluster|timed out waiting for the condition/,
    flake(
      "The control plane did not come up in time",
      "The machine may be too slow or short of memory: see the node's logs",
    ),
  ],
  [/failed to init node with kubeadm/, flake("kubeadm could not start the control plane")],
  [/failed to join node with kubeadm/, flake("A node could not join the cluster")],
  [
    /failed to apply overlay network|failed to add default storage class|connection to the server .* was refused|etcdserver: (request timed out|leader changed)/,
    flake("The API server went away while the cluster was set up"),
  ],
  [
    /i\/o timeout|TLS handshake timeout|connection reset by peer|unexpected EOF|context deadline exceeded/,
    flake("A connection broke"),
  ],
];

/** What the output of a container or kind command tells, or undefined when it is nothing known. */
export function symptomOf(output: string): Symptom | undefined {
  return SYMPTOMS.find(([pattern]) => pattern.test(output))?.[1];
}

/** The line of a command's output that says most: kind's and Docker's own errors before the last one. */
export function errorLine({ stderr, stdout }: Pick<CommandOutcome, "stderr" | "stdout">): string {
  const lines = `${stdout}\n${stderr}`
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const spoken = lines.findLast((line) => /^(ERROR|error|Error|docker|FATA)\b/.test(line));
  return (spoken ?? lines.at(-1) ?? "no output").replace(/^(ERROR|error|Error|FATA)\W+/, "");
}
