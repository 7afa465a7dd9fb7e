import { CLUSTER_SUBJECT, type PhaseStatus } from "../model/result.ts";
import type {
  Attempt,
  CauseLink,
  FailureRole,
  Hold,
  ObservedState,
  PhaseLog,
  PhaseResult,
  ResourceResult,
} from "../model/run-result.ts";
import type { Attribution } from "./first-cause.ts";
import { type LogIndex, TAIL_LINES } from "./log-index.ts";
import { logPath, phaseKey } from "./log-path.ts";
import { linkTo, type Outcome, outcomeOf, subjectOf } from "./outcome.ts";
import { type Locate, locator, reportedFailure, timestamp, timestampOrNull } from "./places.ts";

import { orderedPhases, type PhaseState, type ResourceState, type RunState } from "./state.ts";
import { spanOf } from "./timings.ts";

/** One resource of a `RunResult`. */
export function settleResource(
  resource: ResourceState,
  state: RunState,
  attribution: Attribution,
  logs: LogIndex | undefined,
): ResourceResult {
  const { name, planned } = resource;
  const locate = locator(state.run);
  const phases = orderedPhases(resource).map((phase) =>
    settlePhase(phase, outcomeOf(phase, resource, state), { state, attribution, logs, locate }),
  );
  const spans = [...resource.phases.values()].flatMap((phase) => {
    const span = spanOf(phase, state.now);
    return span === undefined ? [] : [span];
  });
  const start = spans.length > 0 ? Math.min(...spans.map(([at]) => at)) : undefined;
  const end = spans.length > 0 ? Math.max(...spans.map(([, at]) => at)) : undefined;
  const role = roleOf(phases);
  return {
    name,
    type: planned?.type ?? unplannedType(name),
    status: statusOf(phases),
    enabled: planned?.enabled ?? true,
    position: planned === undefined ? null : locate(planned.position),
    role,
    causedBy: linksOf(phases, role),
    startedAt: timestampOrNull(start),
    finishedAt: timestampOrNull(end),
    durationMs: start === undefined || end === undefined ? 0 : end - start,
    ...(planned?.readiness !== undefined && { readiness: planned.readiness }),
    resourceDeps: planned?.resourceDeps ?? [],
    labels: planned?.labels ?? [],
    images: planned?.images ?? [],
    objects: planned?.objects ?? [],
    phases,
    observed: observedState(resource),
    events: [...resource.clusterEvents.values()].map(
      ({ at, object, reason, message, warning, count }) => ({
        at: timestamp(at),
        object,
        reason,
        message,
        warning,
        count,
      }),
    ),
  };
}

/** What is in no plan: the cluster, the Tiltfile, or a resource that a broken Tiltfile names. */
function unplannedType(name: string): ResourceResult["type"] {
  return name === CLUSTER_SUBJECT ? "cluster" : "tiltfile";
}

// The first that any phase has decides; a resource of passed and blocked phases did not pass.
const WORST: readonly PhaseStatus[] = [
  "error",
  "failed",
  "cancelled",
  "running",
  "pending",
  "skipped",
  "passed",
];

function statusOf(phases: readonly PhaseResult[]): PhaseStatus {
  return WORST.find((status) => phases.some((phase) => phase.status === status)) ?? "pending";
}

function roleOf(phases: readonly PhaseResult[]): FailureRole | null {
  for (const role of ["culprit", "echo", "blocked"] as const)
    if (phases.some((phase) => phase.role === role)) return role;
  return null;
}

/** What a resource as a whole is due to: the links of the phases that made its role, each cause once, itself left out. */
function linksOf(phases: readonly PhaseResult[], role: FailureRole | null): CauseLink[] {
  const links = new Map<string, CauseLink>();
  for (const phase of phases)
    for (const link of phase.causedBy ?? [])
      if (phase.role === role) links.set(`${link.resource}\0${link.phase}`, link);
  return [...links.values()];
}

interface PhaseContext {
  readonly state: RunState;
  readonly attribution: Attribution;
  readonly logs: LogIndex | undefined;
  readonly locate: Locate;
}

/** A phase as `report.json` has it, without its relation to other failures and its log: for the event stream. */
export function settlePhaseAlone(
  phase: PhaseState,
  outcome: Outcome,
  state: RunState,
): PhaseResult {
  const attribution: Attribution = { culprits: [], echoes: new Map() };
  const context = { state, attribution, logs: undefined, locate: locator(state.run) };
  const { role: _, ...result } = settlePhase(phase, outcome, context);
  return result;
}

function settlePhase(phase: PhaseState, outcome: Outcome, context: PhaseContext): PhaseResult {
  const { status, failure, skipReason } = outcome;
  const span = spanOf(phase, context.state.now);
  const { role, causedBy } = relate(phase, outcome, context.attribution);
  const attempts = attemptsOf(phase, outcome, context);
  const retried = phase.retried.length > 0;
  const position = context.state.resources.get(phase.id.resource)?.planned?.position;
  const reported =
    failure &&
    reportedFailure(position === undefined ? failure : { position, ...failure }, context.locate);
  return {
    name: phase.id.phase,
    ...subjectOf(phase.id),
    status,
    code: failure?.code ?? null,
    startedAt: timestampOrNull(span?.[0]),
    finishedAt: timestampOrNull(phase.finishedAt),
    durationMs: span === undefined ? 0 : span[1] - span[0],
    ...(failure !== undefined && { message: failure.message }),
    ...(reported !== undefined && { failure: reported }),
    ...(skipReason !== undefined && { skipReason }),
    ...(role !== undefined && { role }),
    ...(causedBy.length > 0 && { causedBy }),
    ...((phase.cached || outcome.sharedWith !== undefined) && { cached: true }),
    ...(retried && status === "passed" && { flaky: true }),
    attempts,
    ...(phase.steps.length > 0 && {
      steps: phase.steps.map(({ name, startedAt, at }) => ({
        name,
        startedAt: timestamp(startedAt),
        durationMs: Math.max(0, at - startedAt),
      })),
    }),
    ...(phase.holds.length > 0 && { holds: holdsOf(phase, context.state.now) }),
    ...(Object.keys(phase.facts).length > 0 && { facts: phase.facts }),
    ...logOf(phase, status, context.logs),
  };
}

function relate(
  phase: PhaseState,
  { failure, blockedBy, sharedWith }: Outcome,
  { echoes }: Attribution,
): { readonly role?: FailureRole; readonly causedBy: readonly CauseLink[] } {
  const echo = echoes.get(phaseKey(phase.id));
  if (echo !== undefined) {
    // What fails later in a culprit's own resource is part of the same story, not an echo in another one.
    const role = echo.culprit.id.resource === phase.id.resource ? {} : { role: "echo" as const };
    return { ...role, causedBy: [linkTo(echo.culprit.id, "echo", echo.evidence)] };
  }
  if (sharedWith !== undefined) return { causedBy: [linkTo(sharedWith, "needs")] };
  if (blockedBy !== undefined) {
    const own = blockedBy.resource === phase.id.resource;
    return { ...(!own && { role: "blocked" as const }), causedBy: [linkTo(blockedBy, "blocked")] };
  }
  const culprit = failure !== undefined && failure.code !== "Cancelled";
  return culprit ? { role: "culprit", causedBy: [] } : { causedBy: [] };
}

function attemptsOf(
  phase: PhaseState,
  outcome: Outcome,
  { state, locate }: PhaseContext,
): Attempt[] {
  const before: Attempt[] = phase.retried.map(({ number, startedAt, at, failure }) => ({
    number,
    status: "failed",
    startedAt: timestampOrNull(startedAt),
    durationMs: Math.max(0, at - (startedAt ?? at)),
    failure: reportedFailure(failure, locate),
  }));
  if (phase.startedAt === undefined) return before;
  const start = phase.attemptStartedAt ?? phase.startedAt;
  const last: Attempt = {
    number: (before.at(-1)?.number ?? 0) + 1,
    status: outcome.status,
    startedAt: timestamp(start),
    durationMs: Math.max(0, (phase.finishedAt ?? state.now) - start),
    ...(outcome.failure !== undefined && { failure: reportedFailure(outcome.failure, locate) }),
  };
  return [...before, last];
}

function holdsOf(phase: PhaseState, now: number): Hold[] {
  return phase.holds.map(({ reason, startedAt, finishedAt }) => ({
    reason,
    startedAt: timestamp(startedAt),
    durationMs: Math.max(0, (finishedAt ?? now) - startedAt),
  }));
}

function logOf(
  { id }: PhaseState,
  status: PhaseStatus,
  logs: LogIndex | undefined,
): { readonly log?: PhaseLog } {
  const known = logs?.describe(id);
  if (logs === undefined || known === undefined) return {};
  const red = status === "failed" || status === "error" || status === "cancelled";
  return {
    log: {
      path: logPath(id),
      lines: known.lines,
      bytes: known.bytes,
      ...(red && { tail: logs.tail(id, TAIL_LINES) }),
    },
  };
}

function observedState({ observed }: ResourceState): ObservedState | null {
  if (observed === undefined) return null;
  const { state, summary, crashes, pods } = observed.observation;
  return {
    at: timestamp(observed.at),
    state,
    summary,
    crashes,
    pods: pods.map(({ scheduledAt, initializedAt, startedAt, readyAt, ...pod }) => ({
      ...pod,
      ...(scheduledAt !== undefined && { scheduledAt: timestamp(scheduledAt) }),
      ...(initializedAt !== undefined && { initializedAt: timestamp(initializedAt) }),
      ...(startedAt !== undefined && { startedAt: timestamp(startedAt) }),
      ...(readyAt !== undefined && { readyAt: timestamp(readyAt) }),
    })),
  };
}
