import { messageOf } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import { CommandFailedError, type ContainerEngine, commandError } from "./container-engine.ts";
import { KIND_CLUSTER_LABEL } from "./names.ts";
import { errorLine } from "./symptoms.ts";

const REMOVE_TIMEOUT_MS = 60_000;
const TRIES = 10;
const PAUSE_MS = 300;

/** Removes the node containers of a cluster with their volumes. Throws with what could not be removed. */
export async function removeNodes(
  clusterName: string,
  engine: ContainerEngine,
  clock: Clock,
): Promise<void> {
  const failures = await removeAll({ clusters: [clusterName] }, engine, clock);
  if (failures.length > 0) throw new Error(failures.join("; "));
}

export interface Removal {
  readonly clusters?: readonly string[];
  readonly containers?: readonly string[];
  readonly volumes?: readonly string[];
  /** A `docker run` was cut off a moment ago: its container may yet appear. */
  readonly isSettling?: boolean;
}

/**
 * Removes node containers, other containers and volumes: what `kind delete cluster` does for Docker, beside the
 * kubeconfig. What is not there is fine. Answers with what is still there and why.
 */
export async function removeAll(
  { clusters = [], containers = [], volumes = [], isSettling = false }: Removal,
  engine: ContainerEngine,
  clock: Clock,
): Promise<readonly string[]> {
  let failures: readonly string[] = [];
  let quiet = 0;
  const isAsked = clusters.length + containers.length > 0;
  for (let attempt = 1; isAsked && attempt <= TRIES; attempt++) {
    try {
      const there = await existing(clusters, containers, engine);
      failures = there.length > 0 ? await removeContainers(there, engine) : [];
      quiet = there.length > 0 ? 0 : quiet + 1;
    } catch (error) {
      failures = [messageOf(error)];
      // An engine that does not answer takes a minute to say so each time.
      if (isTimeout(error)) return failures;
    }
    // a container whose creation was under way shows up within a second, or never
    if (failures.length === 0 && (!isSettling || quiet >= 4)) break;
    if (quiet > 0 || failures.length > 0) await clock.sleep(PAUSE_MS);
  }
  return [...failures, ...(await removeVolumes(volumes, engine, clock))];
}

/** Containers of these clusters, and those of these names, that are there. */
async function existing(
  clusters: readonly string[],
  containers: readonly string[],
  engine: ContainerEngine,
): Promise<readonly string[]> {
  const list = async (...filters: readonly string[]) => {
    const text = await engine.must(
      "Cannot list containers",
      ["ps", "--all", "--quiet", "--no-trunc", ...filters.flatMap((f) => ["--filter", f])],
      { timeoutMs: REMOVE_TIMEOUT_MS },
    );
    return text.split("\n").filter((line) => line !== "");
  };
  const found = await Promise.all([
    ...clusters.map((name) => list(`label=${KIND_CLUSTER_LABEL}=${name}`)),
    // filters of one kind are alternatives; the anchors keep `a` from finding `aa`
    ...(containers.length > 0 ? [list(...containers.map((name) => `name=^/?${name}$`))] : []),
  ]);
  return [...new Set(found.flat())];
}

const isTimeout = (error: unknown) => error instanceof CommandFailedError && error.timedOut;

async function removeContainers(
  ids: readonly string[],
  engine: ContainerEngine,
): Promise<readonly string[]> {
  const outcome = await engine.run(["rm", "--force", "--volumes", ...ids], {
    timeoutMs: REMOVE_TIMEOUT_MS,
  });
  if (outcome.timedOut) throw commandError("Cannot remove containers", outcome);
  const problems = outcome.stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/[Nn]o such container/.test(line));
  return outcome.exitCode === 0 || problems.length === 0
    ? []
    : [`Cannot remove containers: ${errorLine({ stdout: "", stderr: problems.join("\n") })}`];
}

async function removeVolumes(
  volumes: readonly string[],
  engine: ContainerEngine,
  clock: Clock,
): Promise<readonly string[]> {
  if (volumes.length === 0) return [];
  for (let attempt = 1; ; attempt++) {
    const outcome = await engine.run(["volume", "rm", "--force", ...volumes], {
      timeoutMs: REMOVE_TIMEOUT_MS,
    });
    if (outcome.exitCode === 0 && !outcome.timedOut) return [];
    if (attempt === TRIES || outcome.timedOut)
      return [commandError("Cannot remove volumes", outcome).message];
    await clock.sleep(PAUSE_MS);
  }
}
