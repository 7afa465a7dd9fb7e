import { randomBytes } from "node:crypto";

/** Every cluster, container and volume that tilt-ci creates has a name that starts so. */
export const NAME_PREFIX = "tci-";
/** Container label that names the run, on all that can carry labels (kind's nodes cannot). */
export const RUN_LABEL = "dev.tilt-ci.run";
/** Container label with the owning process, see `formatIdentity()`. */
export const OWNER_LABEL = "dev.tilt-ci.owner";
/** Container label with the kind cluster that the container belongs to. */
export const CLUSTER_LABEL = "dev.tilt-ci.cluster";
/** Label of a network that tilt-ci made. */
export const NETWORK_LABEL = "dev.tilt-ci.network";
/** kind's own label on node containers. */
export const KIND_CLUSTER_LABEL = "io.x-k8s.kind.cluster";

/** kind makes host names of it (`NAME-external-load-balancer`), which may have 63 characters. */
const NAME_MAX = 40;
const RANDOM_CHARACTERS = 8;
const BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A fresh id for a run, its cluster and its registry: `tci-` and 8 base36 characters. */
export function createRunId(): string {
  return `${NAME_PREFIX}${randomBase36(RANDOM_CHARACTERS)}`;
}

/** `count` random base36 characters, uniformly distributed. */
export function randomBase36(count: number): string {
  let text = "";
  while (text.length < count) {
    for (const byte of randomBytes(count)) {
      // 252 is the largest multiple of 36 in a byte: beyond it, some characters would be likelier
      if (byte < 252 && text.length < count) text += BASE36[byte % 36];
    }
  }
  return text;
}

/** Whether a kind cluster of that name can only be one that a run named by its id. */
export function isRunClusterName(name: string): boolean {
  return /^tci-[0-9a-z]{8}(-[0-9a-z]{4})?$/.test(name);
}

/** What `--reuse` is for smoke tests that say nothing else: the cluster that they share. */
export const SMOKE_REUSE = "smoke";

/** The kind cluster of `--reuse NAME`. */
export function reuseClusterName(name: string): string {
  return name.startsWith(NAME_PREFIX) ? name : `${NAME_PREFIX}${name}`;
}

/** What is wrong with a cluster name as one clause, or undefined. */
export function clusterNameProblem(name: string): string | undefined {
  if (!/^[a-z0-9.-]+$/.test(name))
    return "it may hold only lower-case letters, digits, dots and hyphens";
  if (!/^[a-z0-9].*[a-z0-9]$|^[a-z0-9]$/.test(name))
    return "it must start and end with a letter or digit";
  if (name.length > NAME_MAX) return `it is longer than ${NAME_MAX} characters`;
  return undefined;
}

/** The network that kind puts its nodes on. */
export function nodeNetwork({
  KIND_EXPERIMENTAL_DOCKER_NETWORK,
}: Readonly<Record<string, string>>) {
  return KIND_EXPERIMENTAL_DOCKER_NETWORK || "kind";
}
