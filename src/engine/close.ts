import { formatDuration } from "../model/duration.ts";
import type { RunEvent } from "../model/event.ts";
import type { Failure } from "../model/result.ts";
import type { Graph, GraphResource } from "./graph.ts";
import { taskId } from "./graph.ts";
import { blockedBy } from "./judge.ts";
import type { Policy } from "./policy.ts";
import type { RunState, Standing } from "./state.ts";

/**
 * The closing events of a run: running phases are cancelled or, at a timeout, failed with what they waited for;
 * phases that never began are skipped with what was in their way.
 */
export function close(
  graph: Graph,
  state: RunState,
  policy: Policy,
  reason: "passed" | "failed" | "timeout" | "cancelled",
  at: number,
): RunEvent[] {
  const blocked = blockedBy(graph, state);
  const events: RunEvent[] = [];
  for (const resource of graph.resources.values()) {
    const phases = [
      ...resource.tasks.map((task) => ({ phase: task.phase, subject: task.subject, id: task.id })),
      ...(resource.settles && resource.settles !== "serve"
        ? [
            {
              phase: resource.settles,
              subject: undefined,
              id: taskId(resource.name, resource.settles),
            },
          ]
        : []),
    ];
    for (const { phase, subject, id } of phases) {
      const current = state.phases.get(id);
      const standing = state.standings.get(resource.name);
      const isSettling = phase === resource.settles;
      const broken = isSettling && reason === "failed" ? brokenBy(standing) : undefined;
      const late = isSettling && reason === "timeout" && standing?.observation.state !== "ready";
      const regressed = current?.status === "passed" && (late || broken !== undefined);
      if (current !== undefined && current.status !== "running" && !regressed) continue;
      const base = {
        type: "phase-finished",
        at,
        resource: resource.name,
        phase,
        attempt: 1,
        ...(subject === undefined ? {} : { subject }),
      } as const;
      if (current === undefined)
        events.push({
          ...base,
          status: "skipped",
          skipReason: skipReason(resource, state, id, blocked, reason),
        });
      else if (reason === "timeout")
        events.push({
          ...base,
          status: "failed",
          failure: timeoutFailure(resource, phase, state, policy),
        });
      else if (broken !== undefined) events.push({ ...base, status: "failed", failure: broken });
      else if (reason === "passed") events.push({ ...base, status: "passed" });
      else events.push({ ...base, status: "cancelled" });
    }
  }
  return reason === "timeout" ? withUnstarted(events, graph, state, policy) : events;
}

/** When nothing was under way at the end of the time, what kept the first phases from starting is what took it. */
function withUnstarted(
  events: RunEvent[],
  graph: Graph,
  state: RunState,
  policy: Policy,
): RunEvent[] {
  const failed = (event: RunEvent) => event.type === "phase-finished" && event.status === "failed";
  const before = [...state.phases.values()].some(
    ({ status }) => status === "failed" || status === "error",
  );
  if (before || events.some(failed)) return events;
  const told = new Set<string>();
  return events.map((event) => {
    if (event.type !== "phase-finished" || event.status !== "skipped") return event;
    const { resource, phase, subject } = event;
    if (told.has(resource) || (graph.resources.get(resource)?.deps.length ?? 0) > 0) return event;
    told.add(resource);
    const hold =
      state.holds.get(taskId(resource, phase, subject)) ?? state.holds.get(taskId(resource, phase));
    const { skipReason: _, ...rest } = event;
    const limit = formatDuration(policy.timeoutMs);
    const message = `Timeout after ${limit}: ${resource}: ${phase} had not started${hold ? `: ${hold}` : ""}`;
    return { ...rest, status: "failed", failure: { code: "Timeout", message } };
  });
}

/**
 * What is down when a run ends that has failed elsewhere: its own end is then known, even if no policy has judged it yet.
 * One that has crashed once and runs again may have recovered.
 */
function brokenBy(standing: Standing | undefined): Failure | undefined {
  if (standing === undefined) return undefined;
  const { state, failure, active, crashes } = standing.observation;
  const down = state === "failed" || (state === "crashing" && (!active || crashes >= 2));
  return down ? failure : undefined;
}

function skipReason(
  resource: GraphResource,
  state: RunState,
  id: string,
  blocked: ReadonlyMap<string, string>,
  reason: string,
): string {
  const by = blocked.get(resource.name);
  if (by) return `blocked by ${by}`;
  const hold = state.holds.get(id);
  const end =
    reason === "timeout"
      ? "the run timed out"
      : reason === "cancelled"
        ? "the run was cancelled"
        : "the run had failed";
  return hold ? `not started, ${end}: ${hold}` : `not started: ${end}`;
}

function timeoutFailure(
  resource: GraphResource,
  phase: string,
  state: RunState,
  policy: Policy,
): Failure {
  const observation =
    phase === resource.settles ? state.standings.get(resource.name)?.observation : undefined;
  const why = observation?.failure;
  const what = why?.message ?? observation?.summary ?? "still running";
  return {
    ...(why ?? {}),
    code: why?.code ?? "Timeout",
    message: `Timeout after ${formatDuration(policy.timeoutMs)}: ${resource.name}: ${phase}: ${what}`,
  };
}
