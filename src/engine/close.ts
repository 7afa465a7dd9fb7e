import { formatDuration } from "../model/duration.ts";
import type { RunEvent } from "../model/event.ts";
import type { Failure, PhaseName } from "../model/result.ts";
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
  reason: ClosingReason,
  at: number,
): RunEvent[] {
  const open = [...graph.resources.values()].flatMap((resource) =>
    phasesOf(resource)
      .filter((phase) => isOpen(phase, resource, state, reason))
      .map((phase) => ({ resource, ...phase })),
  );
  const base = ({ resource, phase, subject }: (typeof open)[number]) =>
    ({
      type: "phase-finished",
      at,
      resource: resource.name,
      phase,
      attempt: 1,
      ...(subject === undefined ? {} : { subject }),
    }) as const;
  const ends = new Map<string, Pick<PhaseFinished, "status" | "failure">>();
  for (const { resource, phase, id } of open)
    if (state.phases.has(id)) ends.set(id, endOf(resource, phase, state, policy, reason));
  const blocked = blockedBy(graph, withEnds(state, ends));
  const events = open.map((phase): PhaseFinished => {
    const end = ends.get(phase.id);
    if (end !== undefined) return { ...base(phase), ...end };
    const skipReason = whySkipped(phase.resource, state, phase.id, blocked, reason);
    return { ...base(phase), status: "skipped", skipReason };
  });
  return reason === "timeout" ? withUnstarted(events, graph, state, policy) : events;
}

type ClosingReason = "passed" | "failed" | "timeout" | "cancelled";
type PhaseFinished = Extract<RunEvent, { type: "phase-finished" }>;

interface GraphPhase {
  readonly phase: PhaseName;
  readonly subject: string | undefined;
  readonly id: string;
}

function phasesOf({ name, tasks, settles }: GraphResource): GraphPhase[] {
  const settling =
    settles && settles !== "serve"
      ? [{ phase: settles, subject: undefined, id: taskId(name, settles) }]
      : [];
  return [...tasks.map(({ phase, subject, id }) => ({ phase, subject, id })), ...settling];
}

/** Has not ended, or has passed and is no longer as it should be. */
function isOpen(
  { phase, id }: GraphPhase,
  { name, settles }: GraphResource,
  state: RunState,
  reason: ClosingReason,
): boolean {
  const status = state.phases.get(id)?.status;
  if (status === undefined || status === "running") return true;
  if (status !== "passed" || phase !== settles) return false;
  const standing = state.standings.get(name);
  return reason === "timeout"
    ? standing?.observation.state !== "ready"
    : reason === "failed" && brokenBy(standing) !== undefined;
}

/** How a phase ends that had begun. */
function endOf(
  resource: GraphResource,
  phase: PhaseName,
  state: RunState,
  policy: Policy,
  reason: ClosingReason,
): Pick<PhaseFinished, "status" | "failure"> {
  if (reason === "timeout")
    return { status: "failed", failure: timeoutFailure(resource, phase, state, policy) };
  const broken =
    reason === "failed" && phase === resource.settles
      ? brokenBy(state.standings.get(resource.name))
      : undefined;
  if (broken !== undefined) return { status: "failed", failure: broken };
  return { status: reason === "passed" ? "passed" : "cancelled" };
}

/** The state when these phases have ended: what waited for them is blocked by them. */
function withEnds(
  state: RunState,
  ends: ReadonlyMap<string, Pick<PhaseFinished, "status">>,
): RunState {
  const phases = new Map(state.phases);
  for (const [id, { status }] of ends) phases.set(id, { ...phases.get(id), status });
  return { ...state, phases };
}

/** When nothing was under way at the end of the time, what kept the first phases from starting is what took it. */
function withUnstarted(
  events: PhaseFinished[],
  graph: Graph,
  state: RunState,
  policy: Policy,
): PhaseFinished[] {
  const failed = (event: PhaseFinished) => event.status === "failed";
  const before = [...state.phases.values()].some(
    ({ status }) => status === "failed" || status === "error",
  );
  if (before || events.some(failed)) return events;
  const told = new Set<string>();
  return events.map((event) => {
    if (event.status !== "skipped") return event;
    const { resource, phase, subject } = event;
    if (told.has(resource) || (graph.resources.get(resource)?.deps.length ?? 0) > 0) return event;
    told.add(resource);
    const hold =
      state.holds.get(taskId(resource, phase, subject)) ?? state.holds.get(taskId(resource, phase));
    const { skipReason: _, ...rest } = event;
    const limit = formatDuration(policy.timeoutMs);
    const message = `Timeout after ${limit}: had not started${hold ? `: ${hold}` : ""}`;
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

function whySkipped(
  resource: GraphResource,
  state: RunState,
  id: string,
  blocked: ReadonlyMap<string, string>,
  reason: ClosingReason,
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
  phase: PhaseName,
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
    message: `Timeout after ${formatDuration(policy.timeoutMs)}: ${what}`,
  };
}
