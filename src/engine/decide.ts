import type { RunEvent } from "../model/event.ts";
import { isInfrastructure } from "../model/reason.ts";
import type { Failure } from "../model/result.ts";
import type { Graph, GraphResource, Task } from "./graph.ts";
import { taskId } from "./graph.ts";
import { blockedBy, overdue, standingsOf } from "./judge.ts";
import type { Policy } from "./policy.ts";
import { echoesUntil, provenAt, verdictsUntil } from "./proof.ts";
import { schedule } from "./schedule.ts";
import type { RunState } from "./state.ts";

/** What to do next. `events` are appended first (and change the state): decide again until there are none. */
export interface Decision {
  readonly events: readonly RunEvent[];
  readonly start: readonly Task[];
  /** Decide again at this epoch ms even if nothing happens. */
  readonly wakeAt?: number;
  /** The run is over: nothing more will be started. */
  readonly end?: { readonly reason: "passed" | "failed" | "timeout" };
}

/** The whole brain of a run: what is wanted (graph), what is known (state), what time it is → what to do. Pure. */
export function decide(graph: Graph, state: RunState, policy: Policy, now: number): Decision {
  const transitions = phaseEvents(graph, state, policy, now);
  if (transitions.events.length > 0) return { events: transitions.events, start: [] };
  const { failures, wakeAt: deadline } = overdue(graph, state, policy, now);
  if (failures.size > 0)
    return {
      events: [...failures].map(([name, failure]) =>
        settled(graph.resources.get(name)!, "failed", now, failure),
      ),
      start: [],
    };
  const verdict = judge(graph, state, policy, now);
  if (verdict.end) return { events: [], start: [], end: verdict.end };
  const stopping = policy.failFast && state.firstFailureAt !== undefined;
  const { start, holds } = stopping
    ? { start: [], holds: new Map<string, string>() }
    : schedule(graph, state, policy);
  const startable = start.filter((task) => !transitions.blocked.has(task.resource));
  const wakeAt = earliest(verdict.wakeAt, deadline, transitions.wakeAt);
  return {
    events: holdEvents(graph, state, holds, now),
    start: startable,
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** Phases that begin, end or turn out to be impossible because of what was observed. */
function phaseEvents(graph: Graph, state: RunState, policy: Policy, now: number) {
  const events: RunEvent[] = [];
  let wakeAt: number | undefined;
  for (const resource of graph.resources.values()) {
    if (resource.settles === undefined) continue;
    const { event, due } = settleEvent(resource, resource.settles, state, policy, now);
    if (event) events.push(event);
    wakeAt = earliest(wakeAt, due);
  }
  const blocked = blockedBy(graph, state);
  if (!policy.failFast) {
    for (const [name, by] of blocked)
      events.push(...skipBlocked(graph.resources.get(name)!, state, by, now));
  }
  return { events, blocked, wakeAt };
}

/** `serve` is a task and its own settling phase: the executor starts it, observation ends it. */
function settleEvent(
  resource: GraphResource,
  phase: "ready" | "job" | "serve",
  state: RunState,
  policy: Policy,
  now: number,
): { event?: RunEvent; due?: number } {
  const current = state.phases.get(taskId(resource.name, phase));
  if (!current) {
    const deployed =
      phase !== "serve" &&
      resource.tasks.every((task) => state.phases.get(task.id)?.status === "passed");
    return deployed
      ? { event: { type: "phase-started", at: now, resource: resource.name, phase, attempt: 1 } }
      : {};
  }
  const observation = state.standings.get(resource.name)?.observation;
  if (
    !observation ||
    current.status === "failed" ||
    current.status === "error" ||
    current.status === "skipped"
  )
    return {};
  if (observation.state === "ready")
    return current.status === "running" ? { event: settled(resource, "passed", now) } : {};
  if (observation.state !== "failed" || !observation.failure) return {};
  const due = graceEnd(current.startedAt ?? now, phase, policy);
  if (now < due) return { due };
  const failure =
    policy.gracePeriodMs > 0 && phase !== "serve"
      ? { ...observation.failure, message: `exceeded grace period: ${observation.failure.message}` }
      : observation.failure;
  return { event: settled(resource, "failed", now, failure) };
}

/** The grace counts from the end of the deploy, for Kubernetes only (ci-engine.md §5). */
function graceEnd(startedAt: number, phase: string, policy: Policy): number {
  return phase === "serve" ? 0 : startedAt + policy.gracePeriodMs;
}

function settled(
  resource: GraphResource,
  end: "passed" | "failed",
  at: number,
  failure?: Failure,
): RunEvent {
  // what a resource stands on may be what is broken
  const status = failure && isInfrastructure(failure.code) ? "error" : end;
  return {
    type: "phase-finished",
    at,
    resource: resource.name,
    phase: resource.settles!,
    attempt: 1,
    status,
    ...(failure ? { failure } : {}),
  };
}

function skipBlocked(resource: GraphResource, state: RunState, by: string, at: number): RunEvent[] {
  const open = (id: string) => state.phases.get(id) === undefined;
  const skip = (phase: Task["phase"] | "ready" | "job" | "serve", subject?: string): RunEvent => ({
    type: "phase-finished",
    at,
    resource: resource.name,
    phase,
    attempt: 1,
    status: "skipped",
    skipReason: `blocked by ${by}`,
    ...(subject === undefined ? {} : { subject }),
  });
  const tasks = resource.tasks.filter(
    (task) => task.phase !== "build" && task.phase !== "push" && open(task.id),
  );
  const events = tasks.map((task) => skip(task.phase, task.subject));
  if (
    resource.settles &&
    resource.settles !== "serve" &&
    open(taskId(resource.name, resource.settles))
  )
    events.push(skip(resource.settles));
  return events;
}

/** Whether the run is over, or when that may be known. */
function judge(
  graph: Graph,
  state: RunState,
  policy: Policy,
  now: number,
): Pick<Decision, "end" | "wakeAt"> {
  const named = standingsOf(graph, state);
  const standings = [...named.values()];
  const busy = [...graph.tasks.values()].some(
    (task) => task.phase !== "serve" && state.phases.get(task.id)?.status === "running",
  );
  const timeoutAt = policy.timeoutMs > 0 ? state.startedAt + policy.timeoutMs : undefined;
  if (state.firstFailureAt !== undefined) {
    const settled = standings.every(
      ({ state: s }) => s === "good" || s === "failed" || s === "blocked",
    );
    const verdictsAt = policy.failFast
      ? verdictsUntil(graph, state)
      : settled
        ? undefined
        : Number.POSITIVE_INFINITY;
    const atRestAt = busy
      ? Number.POSITIVE_INFINITY
      : Math.max(verdictsAt ?? 0, echoesUntil(graph, state) ?? 0);
    // Of what may carry on, nothing was stopped by the failure: what is still at it then has had its time.
    if (!policy.failFast && now < atRestAt && timeoutAt !== undefined && now >= timeoutAt)
      return { end: { reason: "timeout" } };
    return afterFailure(earliest(atRestAt, timeoutAt), state.firstFailureAt, policy, now);
  }
  if (standings.every((standing) => standing.state === "good") && !busy) {
    const since = [...named].map(([name, standing]) =>
      standing.state === "good" ? ([name, standing.since] as const) : ([name, 0] as const),
    );
    const goodSince = Math.max(state.startedAt, ...since.map(([, at]) => at));
    const passedAt = Math.max(
      goodSince + policy.stableForMs,
      ...since.map(([name, at]) => provenAt(graph.resources.get(name)!, at, state, policy)),
    );
    if (now >= passedAt) return { end: { reason: "passed" } };
    return timeoutAt !== undefined && now >= timeoutAt
      ? { end: { reason: "timeout" } }
      : { wakeAt: passedAt };
  }
  if (timeoutAt !== undefined && now >= timeoutAt) return { end: { reason: "timeout" } };
  return timeoutAt === undefined ? {} : { wakeAt: timeoutAt };
}

function afterFailure(
  dueAt: number | undefined,
  firstFailureAt: number,
  policy: Policy,
  now: number,
): Pick<Decision, "end" | "wakeAt"> {
  const windowMs = policy.semantics === "tilt" ? 0 : policy.failureWindowMs;
  const limit = earliest(dueAt, policy.failFast ? firstFailureAt + windowMs : undefined);
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return {};
  return now >= limit ? { end: { reason: "failed" } } : { wakeAt: limit };
}

/** Tells once, and again when the reason changes, why a resource's next task is not started. */
function holdEvents(
  graph: Graph,
  state: RunState,
  holds: ReadonlyMap<string, string>,
  at: number,
): RunEvent[] {
  const events: RunEvent[] = [];
  const told = new Set<string>();
  for (const [id, reason] of holds) {
    const task = graph.tasks.get(id)!;
    const phase = taskId(task.resource, task.phase);
    // Several builds are one phase: if each told its own reason, the reason would never stop changing.
    if (task.phase === "push" || told.has(phase)) continue;
    told.add(phase);
    if (state.holds.get(phase) === reason) continue;
    events.push({ type: "holding", at, resource: task.resource, phase: task.phase, reason });
  }
  return events;
}
