import { formatDuration } from "../model/duration.ts";
import type { Failure } from "../model/result.ts";
import type { Graph, GraphResource } from "./graph.ts";
import { taskId } from "./graph.ts";
import type { Policy } from "./policy.ts";
import { hasUnblocked } from "./schedule.ts";
import type { RunState } from "./state.ts";

export type Standing =
  /** All done and, now, as it should be. */
  | { readonly state: "good"; readonly since: number }
  | { readonly state: "failed"; readonly since: number }
  /** Cannot go on because something it needs failed. */
  | { readonly state: "blocked"; readonly by: string }
  | { readonly state: "crashing"; readonly crashes: number; readonly twiceAt: number | undefined }
  | { readonly state: "underway" };

const isBad = (status: string | undefined) => status === "failed" || status === "error";

/** Where every resource of a run stands now. */
export function standingsOf(graph: Graph, state: RunState): Map<string, Standing> {
  const standings = new Map<string, Standing>();
  for (const resource of graph.resources.values())
    standings.set(resource.name, standingOf(resource, state));
  const blocked = blockedBy(graph, state);
  for (const [name, by] of blocked) {
    if (standings.get(name)?.state === "underway") standings.set(name, { state: "blocked", by });
  }
  return standings;
}

function standingOf(resource: GraphResource, state: RunState): Standing {
  const phases = [
    ...resource.tasks.map((task) => task.id),
    ...(resource.settles ? [taskId(resource.name, resource.settles)] : []),
  ].map((id) => state.phases.get(id));
  const bad = phases.find((phase) => isBad(phase?.status));
  if (bad) return { state: "failed", since: bad.finishedAt ?? 0 };
  const done = phases.every(
    (phase, index) =>
      phase?.status === "passed" ||
      (index >= resource.tasks.length && phase !== undefined) ||
      isServe(resource, index),
  );
  const standing = state.standings.get(resource.name);
  if (standing?.observation.state === "crashing") {
    const twiceAt = twiceCrashedAt(resource.name, state);
    return { state: "crashing", crashes: standing.observation.crashes, twiceAt };
  }
  if (!done) return { state: "underway" };
  if (resource.settles === undefined)
    return { state: "good", since: Math.max(0, ...phases.map((phase) => phase?.finishedAt ?? 0)) };
  return standing?.observation.state === "ready"
    ? { state: "good", since: standing.stateSince }
    : { state: "underway" };
}

/** When a resource was first seen to have crashed twice. */
function twiceCrashedAt(name: string, state: RunState): number | undefined {
  return state.standings.get(name)?.crashHistory.find(({ crashes }) => crashes >= 2)?.at;
}

/** A server's task runs as long as the run does: it counts as done once its readiness is watched. */
function isServe(resource: GraphResource, index: number): boolean {
  return resource.tasks[index]?.phase === "serve";
}

/** Resources that cannot be reached any more, with the resource and phase that is in their way. */
export function blockedBy(graph: Graph, state: RunState): Map<string, string> {
  const failedTask = new Map<string, string>();
  for (const task of graph.tasks.values()) {
    if (isBad(state.phases.get(task.id)?.status))
      failedTask.set(
        task.id,
        `${task.resource}: ${task.phase}${task.subject ? ` ${task.subject}` : ""}`,
      );
  }
  const blocked = new Map<string, string>();
  const visit = (resource: GraphResource, seen: Set<string>): string | undefined => {
    const known = blocked.get(resource.name) ?? ownFailure(resource, state);
    if (known || seen.has(resource.name)) return known;
    seen.add(resource.name);
    const by =
      blockingTask(resource, graph, failedTask) ??
      blockingDep(resource, graph, (dep) => visit(dep, seen), state);
    if (by) blocked.set(resource.name, by);
    return by;
  };
  for (const resource of graph.resources.values()) visit(resource, new Set());
  return blocked;
}

function ownFailure(resource: GraphResource, state: RunState): string | undefined {
  for (const id of [
    ...resource.tasks.map((task) => task.id),
    ...(resource.settles ? [taskId(resource.name, resource.settles)] : []),
  ]) {
    if (isBad(state.phases.get(id)?.status)) return describeTask(id);
  }
  return undefined;
}

const describeTask = (id: string) => {
  const [resource, phase, subject] = id.split("|");
  return `${resource}: ${phase}${subject ? ` ${subject}` : ""}`;
};

function blockingTask(
  resource: GraphResource,
  graph: Graph,
  failed: ReadonlyMap<string, string>,
): string | undefined {
  const seen = new Set<string>();
  const walk = (id: string): string | undefined => {
    if (seen.has(id)) return undefined;
    seen.add(id);
    return failed.get(id) ?? graph.tasks.get(id)?.after.map(walk).find(Boolean);
  };
  return resource.tasks.map((task) => walk(task.id)).find(Boolean);
}

function blockingDep(
  resource: GraphResource,
  graph: Graph,
  visit: (dep: GraphResource) => string | undefined,
  state: RunState,
): string | undefined {
  for (const name of resource.deps) {
    const dep = graph.resources.get(name);
    // A dependency that has let its dependants go does not block them, whatever fails it later.
    if (!dep || hasUnblocked(dep, state)) continue;
    const by = visit(dep);
    if (by) return by;
  }
  return undefined;
}

/**
 * Failures that nobody observed but that follow from time and counts: crash loops by policy, readiness timeouts.
 * Returns them with, for those still ahead, the next instant at which one may be due.
 */
export function overdue(
  graph: Graph,
  state: RunState,
  policy: Policy,
  now: number,
): { failures: Map<string, Failure>; wakeAt: number | undefined } {
  const failures = new Map<string, Failure>();
  let wakeAt: number | undefined;
  const standings = standingsOf(graph, state);
  for (const resource of graph.resources.values()) {
    const crash = crashFailure(resource, graph, standings, state, policy);
    if (crash) failures.set(resource.name, crash);
    const due = readinessDeadline(resource, state, policy);
    if (due === undefined || failures.has(resource.name)) continue;
    if (now >= due) failures.set(resource.name, readinessTimeout(resource, state, policy));
    else wakeAt = Math.min(wakeAt ?? due, due);
  }
  return { failures, wakeAt };
}

function crashFailure(
  resource: GraphResource,
  graph: Graph,
  standings: ReadonlyMap<string, Standing>,
  state: RunState,
  policy: Policy,
): Failure | undefined {
  const standing = state.standings.get(resource.name);
  const failure = standing?.observation.failure;
  if (
    standing?.observation.state !== "crashing" ||
    !failure ||
    standings.get(resource.name)?.state === "failed"
  )
    return undefined;
  if (policy.semantics === "tilt" || policy.crashPolicy === "deadline") return undefined;
  if (policy.crashPolicy === "first") return failure;
  const settledAt = othersSettledAt(resource, graph, standings, state);
  if (settledAt === undefined) return undefined;
  const baseline =
    standing.crashHistory.filter((entry) => entry.at <= settledAt).at(-1)?.crashes ?? 0;
  return standing.observation.crashes >= baseline + 2 ? failure : undefined;
}

/**
 * When the last of the other resources came to rest: good, failed, or crashing for at least the second time.
 * What cannot start before a crashing resource was ready, or pass a webhook that it serves, is at rest with it.
 */
function othersSettledAt(
  resource: GraphResource,
  graph: Graph,
  standings: ReadonlyMap<string, Standing>,
  state: RunState,
): number | undefined {
  const crashing = (name: string) => standings.get(name)?.state === "crashing";
  const waits = (name: string, seen = new Set<string>()): boolean => {
    if (seen.has(name)) return false;
    seen.add(name);
    const unready = graph.resources
      .get(name)!
      .deps.filter((dep) => state.standings.get(dep)?.everReadyAt === undefined);
    const server = state.webhooks.get(name);
    const needed = server === undefined ? unready : [...unready, server];
    return needed.some((other) => crashing(other) || waits(other, seen));
  };
  let settledAt = 0;
  for (const [name, other] of standings) {
    if (name === resource.name || other.state === "blocked") continue;
    if (other.state === "good") {
      settledAt = Math.max(settledAt, other.since);
    } else if (other.state === "failed") {
      // A crash loop was at rest before anyone called it failed: its verdict is no news to others.
      settledAt = Math.max(
        settledAt,
        Math.min(other.since, twiceCrashedAt(name, state) ?? other.since),
      );
    } else if (other.state === "crashing" && other.twiceAt !== undefined) {
      settledAt = Math.max(settledAt, other.twiceAt);
    } else if (!waits(name)) return undefined;
  }
  return settledAt;
}

/**
 * Tilt counts the readiness timeout for servers whose process runs, from the last time they were ready, else from
 * the start (ci-engine.md §5). Judged strictly, a pod that is stuck with known evidence counts as well.
 */
function readinessDeadline(
  resource: GraphResource,
  state: RunState,
  policy: Policy,
): number | undefined {
  if (
    policy.readinessTimeoutMs === 0 ||
    resource.settles === undefined ||
    resource.settles === "job"
  )
    return undefined;
  const phase = state.phases.get(taskId(resource.name, resource.settles));
  const standing = state.standings.get(resource.name);
  if (!phase || isBad(phase.status) || !standing || standing.observation.state === "ready")
    return undefined;
  const stuck = policy.semantics === "strict" && standing.observation.failure !== undefined;
  if (!standing.observation.active && !stuck) return undefined;
  const reference = standing.lastReadyAt ?? phase.startedAt;
  return reference === undefined ? undefined : reference + policy.readinessTimeoutMs;
}

function readinessTimeout(resource: GraphResource, state: RunState, policy: Policy): Failure {
  const { observation } = state.standings.get(resource.name)!;
  const limit = formatDuration(policy.readinessTimeoutMs);
  const why = observation.failure;
  return {
    ...(why ?? {}),
    code: why && why.code !== "Timeout" ? why.code : "Timeout",
    message: `Readiness timeout after ${limit}: not ready: ${why?.message ?? observation.summary}`,
  };
}
