import type {
  ClusterFacts,
  Observation,
  PlannedResource,
  RunEvent,
  RunInfo,
} from "../model/event.ts";
import type { Failure, PhaseName, PhaseStatus, Verdict } from "../model/result.ts";
import { CLUSTER_SUBJECT, PHASES, TILTFILE_SUBJECT } from "../model/result.ts";
import { type PhaseId, phaseKey } from "./log-path.ts";

/* What the events have said so far, in epoch milliseconds: grown by `applyEvent()`, read by `settle()`. */

export interface PhaseState {
  readonly id: PhaseId;
  status: PhaseStatus;
  startedAt?: number;
  finishedAt?: number;
  /** When it passed, even if it was told to have failed since. */
  passedAt?: number;
  attempt: number;
  attemptStartedAt?: number;
  /** Attempts that were tried again. */
  readonly retried: {
    readonly number: number;
    readonly startedAt?: number;
    readonly at: number;
    readonly failure: Failure;
  }[];
  failure?: Failure;
  skipReason?: string;
  cached: boolean;
  facts: Readonly<Record<string, string | number | boolean>>;
  readonly steps: { readonly name: string; readonly startedAt: number; readonly at: number }[];
  readonly holds: HoldState[];
}

export interface HoldState {
  readonly reason: string;
  readonly startedAt: number;
  finishedAt?: number;
}

export interface ResourceState {
  readonly name: string;
  planned?: PlannedResource;
  readonly phases: Map<string, PhaseState>;
  observed?: { readonly at: number; readonly observation: Observation };
  /** When it was first seen to crash or fail. */
  troubleSince?: number;
  readonly clusterEvents: Map<string, Extract<RunEvent, { type: "cluster-event" }>>;
}

export interface RunState {
  run?: RunInfo;
  startedAt?: number;
  /** Time of the newest event. */
  now: number;
  readonly resources: Map<string, ResourceState>;
  /** Builds and pushes that have begun, by `phase\0image`: resources that share an image do so once. */
  readonly imagePhases: Map<string, PhaseState>;
  cluster?: ClusterFacts;
  readonly warnings: Extract<RunEvent, { type: "warning" }>[];
  verdict?: {
    readonly at: number;
    readonly verdict: Verdict;
    readonly exitCode: number;
    readonly message: string;
  };
  finished?: { readonly at: number; readonly exitCode: number };
}

/** A cluster that retries for minutes tells thousands of events; the newest of each kind are enough for a report. */
const MAX_CLUSTER_EVENTS = 200;
const MAX_HOLDS = 100;

/** The state before the first event. */
export function emptyState(): RunState {
  return { now: 0, resources: new Map(), imagePhases: new Map(), warnings: [] };
}

/** Adds one event; never throws, whatever the order of events. */
export function applyEvent(state: RunState, event: RunEvent): void {
  state.now = Math.max(state.now, event.at);
  switch (event.type) {
    case "run-started":
      state.run = event.run;
      state.startedAt = event.at;
      break;
    case "planned":
      for (const planned of event.resources) plan(resourceOf(state, planned.name), planned);
      break;
    case "warning":
      state.warnings.push(event);
      break;
    case "verdict":
      state.verdict = event;
      break;
    case "run-finished":
      state.finished = event;
      break;
    case "observed":
      observe(resourceOf(state, event.resource), event);
      break;
    case "cluster-event":
      addClusterEvent(resourceOf(state, event.resource), event);
      break;
    case "cluster":
      state.cluster = { ...state.cluster, ...event.cluster };
      break;
    case "notice":
    case "reached":
      break;
    default:
      applyPhaseEvent(state, event);
  }
}

function plan(resource: ResourceState, planned: PlannedResource): void {
  resource.planned = planned;
  for (const { phase, subject } of planned.phases) phaseOf(resource, { phase, subject });
}

function addClusterEvent(
  resource: ResourceState,
  event: Extract<RunEvent, { type: "cluster-event" }>,
): void {
  const key = `${event.object}\0${event.reason}\0${event.message}`;
  // Re-inserted, so that the map's order is the order of the newest occurrence.
  resource.clusterEvents.delete(key);
  resource.clusterEvents.set(key, event);
  if (resource.clusterEvents.size <= MAX_CLUSTER_EVENTS) return;
  const dropped = [...resource.clusterEvents].find(([, { warning }]) => !warning);
  resource.clusterEvents.delete(dropped?.[0] ?? [...resource.clusterEvents.keys()][0]!);
}

type PhaseEvent = Extract<
  RunEvent,
  { type: "phase-started" | "phase-finished" | "phase-retried" | "step" | "holding" }
>;

function applyPhaseEvent(state: RunState, event: PhaseEvent): void {
  const resource = resourceOf(state, event.resource);
  if (event.type === "holding") {
    hold(holdTarget(resource, event.phase), event.reason, event.at);
    return;
  }
  const phase = phaseOf(resource, event);
  if (event.subject !== undefined && event.type !== "step") {
    const key = `${event.phase}\0${event.subject}`;
    if (!state.imagePhases.has(key)) state.imagePhases.set(key, phase);
  }
  switch (event.type) {
    case "phase-started":
      start(phase, event.attempt, event.at);
      break;
    case "phase-retried":
      retry(phase, event);
      break;
    case "step":
      phase.steps.push({ name: event.name, startedAt: event.startedAt, at: event.at });
      break;
    case "phase-finished":
      finish(phase, event);
      break;
  }
}

function start(phase: PhaseState, attempt: number, at: number): void {
  phase.status = "running";
  phase.startedAt ??= at;
  phase.attempt = attempt;
  phase.attemptStartedAt = at;
  endHold(phase, at);
}

function retry(phase: PhaseState, event: Extract<RunEvent, { type: "phase-retried" }>): void {
  phase.retried.push({
    number: event.attempt,
    at: event.at,
    failure: event.failure,
    ...(phase.attemptStartedAt !== undefined && { startedAt: phase.attemptStartedAt }),
  });
  phase.attempt = event.attempt + 1;
  phase.attemptStartedAt = event.at;
}

function finish(phase: PhaseState, event: Extract<RunEvent, { type: "phase-finished" }>): void {
  phase.status = event.status;
  phase.finishedAt = event.at;
  if (event.status === "passed") phase.passedAt = event.at;
  phase.attempt = event.attempt;
  phase.cached = event.cached ?? false;
  phase.facts = event.facts ?? {};
  endHold(phase, event.at);
  if (event.failure !== undefined) phase.failure = event.failure;
  if (event.skipReason !== undefined) phase.skipReason = event.skipReason;
}

function hold(phase: PhaseState, reason: string, at: number): void {
  const last = phase.holds.at(-1);
  if (last?.reason === reason && last.finishedAt === undefined) return;
  endHold(phase, at);
  if (phase.holds.length < MAX_HOLDS) phase.holds.push({ reason, startedAt: at });
}

function endHold(phase: PhaseState, at: number): void {
  const last = phase.holds.at(-1);
  if (last !== undefined) last.finishedAt ??= at;
}

/** The phase that a hold is about: the first of this name that has not come to its end. */
function holdTarget(resource: ResourceState, name: PhaseName): PhaseState {
  for (const phase of resource.phases.values())
    if (phase.id.phase === name && phase.finishedAt === undefined) return phase;
  return phaseOf(resource, { phase: name });
}

function resourceOf(state: RunState, name: string): ResourceState {
  let resource = state.resources.get(name);
  if (resource === undefined) {
    resource = { name, phases: new Map(), clusterEvents: new Map() };
    state.resources.set(name, resource);
  }
  return resource;
}

function phaseOf(
  resource: ResourceState,
  { phase, subject }: { readonly phase: PhaseName; readonly subject?: string | undefined },
): PhaseState {
  const id: PhaseId =
    subject === undefined
      ? { resource: resource.name, phase }
      : { resource: resource.name, phase, subject };
  const key = phaseKey(id);
  let found = resource.phases.get(key);
  if (found === undefined) {
    found = {
      id,
      status: "pending",
      attempt: 1,
      retried: [],
      cached: false,
      facts: {},
      steps: [],
      holds: [],
    };
    resource.phases.set(key, found);
  }
  return found;
}

/** `(cluster)`, `(Tiltfile)`, then the others as they were planned or first heard of. */
export function orderedResources(state: RunState): ResourceState[] {
  const rank = (name: string) => (name === CLUSTER_SUBJECT ? 0 : name === TILTFILE_SUBJECT ? 1 : 2);
  return [...state.resources.values()].sort((a, b) => rank(a.name) - rank(b.name));
}

/** Phases in the order in which a resource goes through them. */
export function orderedPhases(resource: ResourceState): PhaseState[] {
  return [...resource.phases.values()].sort(
    (a, b) => PHASES.indexOf(a.id.phase) - PHASES.indexOf(b.id.phase),
  );
}

/** Whether a phase has come to a bad end by itself: not cancelled, not skipped. */
export function hasFailed(phase: PhaseState): boolean {
  return (
    (phase.status === "failed" || phase.status === "error") && phase.failure?.code !== "Cancelled"
  );
}

function observe(resource: ResourceState, event: Extract<RunEvent, { type: "observed" }>): void {
  const { state, failure } = event.observation;
  resource.observed = event;
  if (state === "crashing" || state === "failed")
    resource.troubleSince ??= Math.min(failure?.evidenceAt ?? event.at, event.at);
}
