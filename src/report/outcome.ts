import type { ReasonCode } from "../model/reason.ts";
import {
  CLUSTER_SUBJECT,
  type Failure,
  type PhaseName,
  type PhaseStatus,
} from "../model/result.ts";
import type { CauseLink } from "../model/run-result.ts";
import { withHint } from "./hints.ts";
import type { PhaseId } from "./log-path.ts";
import {
  hasFailed,
  orderedPhases,
  type PhaseState,
  type ResourceState,
  type RunState,
} from "./state.ts";
import { phaseLabel } from "./wording.ts";

/*
 * How a phase ended, also where no event said so: what ran when the report was written counts as cancelled, what never
 * started is blocked (by its own earlier phase, a dependency, the cluster), skipped, cancelled, or still pending.
 */

export interface Outcome {
  readonly status: PhaseStatus;
  readonly failure?: Failure;
  readonly skipReason?: string;
  readonly blockedBy?: PhaseId;
  /** The phase of another resource that did the work (an image that several need is built once). */
  readonly sharedWith?: PhaseId;
}

/** The outcome of one phase at this moment of the run. Pure. */
export function outcomeOf(phase: PhaseState, resource: ResourceState, state: RunState): Outcome {
  switch (phase.status) {
    case "passed":
      return { status: "passed" };
    case "failed":
    case "error":
      return { status: phase.status, failure: failureOf(phase, resource) };
    case "cancelled":
      return { status: "cancelled", failure: phase.failure ?? interrupted(phase, resource) };
    case "skipped":
      return skipped(phase, resource, state);
    case "running":
      return running(phase, resource, state);
    case "pending":
      return notStarted(phase, resource, state);
  }
}

/** The failure of a phase; its code from the phase where the event gave none. A timeout says what was seen last. */
export function failureOf(phase: PhaseState, resource: ResourceState): Failure {
  return withHint(toldOrSeen(phase, resource));
}

function toldOrSeen(phase: PhaseState, resource: ResourceState): Failure {
  const failure = phase.failure ?? {
    code: DEFAULT_CODE[phase.id.phase],
    message: `${resource.name}: ${phaseLabel({ name: phase.id.phase, ...subjectOf(phase.id) })} ended with status ${phase.status}`,
  };
  const seen = resource.observed?.observation;
  if (failure.code !== "Timeout" || seen === undefined || seen.state === "ready") return failure;
  const known = [seen.summary, seen.failure?.message].filter(
    (text): text is string => text !== undefined && text !== "" && !failure.message.includes(text),
  );
  return known.length === 0
    ? failure
    : { ...failure, message: [failure.message, ...known].join(": ") };
}

const DEFAULT_CODE: Readonly<Record<PhaseName, ReasonCode>> = {
  evaluate: "TiltfileError",
  create: "Infra",
  registry: "Infra",
  build: "BuildFailed",
  push: "PushFailed",
  deploy: "ApplyRejected",
  ready: "Timeout",
  job: "JobFailed",
  command: "CommandFailed",
  serve: "ServeExited",
  test: "TestFailed",
  teardown: "Infra",
};

function running(phase: PhaseState, resource: ResourceState, state: RunState): Outcome {
  // Servers run on until they are stopped: one that lives at the verdict has done what was asked.
  if (state.verdict !== undefined && phase.id.phase === "serve") return { status: "passed" };
  return { status: "cancelled", failure: interrupted(phase, resource) };
}

/** What is watched rather than done. */
const SETTLING: ReadonlySet<PhaseName> = new Set(["ready", "job", "serve"]);

function interrupted(phase: PhaseState, resource: ResourceState): Failure {
  const waiting =
    phase.holds.at(-1)?.reason ??
    (SETTLING.has(phase.id.phase) ? resource.observed?.observation.summary : undefined);
  const label = phaseLabel({ name: phase.id.phase, ...subjectOf(phase.id) });
  const message = `${resource.name}: ${label} had not finished when the run ended`;
  return { code: "Cancelled", message: waiting ? `${message}: ${waiting}` : message };
}

function skipped(phase: PhaseState, resource: ResourceState, state: RunState): Outcome {
  const reason = phase.skipReason;
  if (reason === undefined) {
    const blocker = blockerOf(phase, resource, state);
    return blocker === undefined
      ? { status: "skipped", skipReason: "not needed" }
      : blocked(blocker);
  }
  const named = /^blocked by ([^\n]+)$/.exec(reason)?.[1];
  // Without a cluster there is nothing else to say of what was to run on it.
  if (named === undefined) {
    const cluster = brokenCluster(phase, resource, state);
    if (cluster !== undefined) return blocked(cluster);
  }
  const blockedBy = named === undefined ? undefined : findPhase(named, state);
  return { status: "skipped", skipReason: reason, ...(blockedBy !== undefined && { blockedBy }) };
}

function notStarted(phase: PhaseState, resource: ResourceState, state: RunState): Outcome {
  const { planned } = resource;
  if (planned?.skipReason !== undefined)
    return { status: "skipped", skipReason: planned.skipReason };
  if (planned?.enabled === false) return { status: "skipped", skipReason: "disabled" };
  const shared = sharedPhase(phase, state);
  if (shared !== undefined && hasFailed(shared)) return blocked(shared.id);
  if (shared?.status === "passed") return { status: "passed", sharedWith: shared.id };
  const blocker = blockerOf(phase, resource, state);
  if (blocker !== undefined) return blocked(blocker);
  if (planned?.autoInit === false) return { status: "skipped", skipReason: "auto_init=False" };
  if (state.verdict === undefined) return { status: "pending" };
  if (state.verdict.verdict === "cancelled")
    return {
      status: "cancelled",
      failure: { code: "Cancelled", message: `${resource.name}: not started before the run ended` },
    };
  return { status: "skipped", skipReason: "not started before the run ended" };
}

function blocked(blockedBy: PhaseId): Outcome {
  const { resource, phase } = blockedBy;
  const label = phaseLabel({ name: phase, ...subjectOf(blockedBy) });
  return { status: "skipped", skipReason: `blocked by ${resource}: ${label}`, blockedBy };
}

/** The same build or push as another resource's events tell it. */
function sharedPhase(phase: PhaseState, state: RunState): PhaseState | undefined {
  const { phase: name, subject } = phase.id;
  if (subject === undefined || (name !== "build" && name !== "push")) return undefined;
  const same = state.imagePhases.get(`${name}\0${subject}`);
  return same === phase ? undefined : same;
}

/** What kept a phase from starting: an earlier phase of its resource, a dependency, or the cluster. */
function blockerOf(
  phase: PhaseState,
  resource: ResourceState,
  state: RunState,
): PhaseId | undefined {
  for (const earlier of orderedPhases(resource)) {
    if (earlier === phase) break;
    if (hasFailed(earlier)) return earlier.id;
    const shared = earlier.status === "pending" ? sharedPhase(earlier, state) : undefined;
    if (shared !== undefined && hasFailed(shared)) return shared.id;
  }
  // Builds and pushes never wait for dependencies.
  if (phase.id.phase !== "build" && phase.id.phase !== "push") {
    const failed = failedDependency(resource, state, new Set());
    if (failed !== undefined) return failed;
  }
  return brokenCluster(phase, resource, state);
}

/** The phase of the cluster that failed, for phases that need one. */
function brokenCluster(
  phase: PhaseState,
  { planned }: ResourceState,
  state: RunState,
): PhaseId | undefined {
  const onCluster = planned?.type === "k8s" || planned?.type === "custom";
  return onCluster && phase.id.phase !== "build" ? failedPhase(CLUSTER_SUBJECT, state) : undefined;
}

/** The failed phase at the root of a chain of dependencies, nearest first. */
function failedDependency(
  resource: ResourceState,
  state: RunState,
  seen: Set<string>,
): PhaseId | undefined {
  const deps = (resource.planned?.resourceDeps ?? []).filter((dep) => !seen.has(dep));
  for (const dep of deps) {
    const failed = failedPhase(dep, state);
    if (failed !== undefined) return failed;
  }
  for (const dep of deps) {
    seen.add(dep);
    const next = state.resources.get(dep);
    const failed = next === undefined ? undefined : failedDependency(next, state, seen);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

function failedPhase(name: string, state: RunState): PhaseId | undefined {
  const resource = state.resources.get(name);
  if (resource === undefined) return undefined;
  for (const phase of orderedPhases(resource)) {
    if (phase.id.phase === "teardown") continue;
    if (hasFailed(phase)) return phase.id;
    const shared = phase.status === "pending" ? sharedPhase(phase, state) : undefined;
    if (shared !== undefined && hasFailed(shared)) return shared.id;
  }
  return undefined;
}

/** `db: ready` or just `db` → the phase. Names may hold colons: the longest known name wins. */
function findPhase(text: string, state: RunState): PhaseId | undefined {
  const names = [...state.resources.keys()]
    .filter((name) => text === name || text.startsWith(`${name}: `))
    .toSorted((a, b) => b.length - a.length);
  const resource = names[0] === undefined ? undefined : state.resources.get(names[0]);
  if (resource === undefined) return undefined;
  const label = text.slice(resource.name.length + 2);
  const phases = orderedPhases(resource);
  const named = phases.find(({ id }) => phaseLabel({ name: id.phase, ...subjectOf(id) }) === label);
  return (named ?? phases.find(hasFailed) ?? phases.at(-1))?.id;
}

/** `{ subject }` where there is one: for objects whose optional keys must be absent, not undefined. */
export function subjectOf({ subject }: { readonly subject?: string | undefined }): {
  readonly subject?: string;
} {
  return subject === undefined ? {} : { subject };
}

/** A link of `causedBy`. */
export function linkTo(id: PhaseId, relation: CauseLink["relation"], evidence?: string): CauseLink {
  return {
    resource: id.resource,
    phase: id.phase,
    relation,
    ...(evidence !== undefined && { evidence }),
  };
}
