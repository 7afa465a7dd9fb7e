import type { PlannedResource, RunEvent } from "../model/event.ts";
import type { PhaseName } from "../model/result.ts";
import { type PhaseId, phaseIdOf } from "./log-path.ts";
import { subjectOf } from "./outcome.ts";
import { formatDuration, phaseLabel, phaseTitle, withCode } from "./wording.ts";

/* What the run itself says of its events, in Tilt's words where Tilt has any (ci-engine.md §1). */

/** Something to print; several lines are separated by `\n`. */
export interface Narration {
  readonly text: string;
  /** Whose prefix it has. */
  readonly resource?: string;
  /** Belongs to the output of this phase. */
  readonly phase?: PhaseId;
  readonly level?: "info" | "warn" | "error";
  readonly source?: "build" | "runtime";
  /** Also with `--quiet`. */
  readonly quiet?: boolean;
  /** Whatever the filters say: Tilt prints `Initial Build` always. */
  readonly always?: boolean;
  /** Says no more than that a phase has ended well. */
  readonly isEnd?: boolean;
}

/** `update`: as Tilt, a table at the end of an update. `phase`: a line a phase, for those who read little or fold the rest. */
export type NarrationStyle = "update" | "phase";

interface Update {
  readonly steps: { readonly name: string; durationMs?: number; readonly startedAt: number }[];
  readonly total: number;
  readonly startedAt: number;
}

/** What the narrator remembers. */
export interface NarratorState {
  readonly style: NarrationStyle;
  readonly planned: Map<string, PlannedResource>;
  readonly updates: Map<string, Update>;
  /** Whether this run makes a cluster that goes with it. */
  goes: boolean;
  /** Attempts of phases that failed, by phase: how many, and the reasons that were told. */
  readonly retries: Map<string, { count: number; readonly told: Set<string> }>;
  /** Start of phases that run, by case name; epoch ms. */
  readonly starts: Map<string, number>;
}

export function newNarrator(style: NarrationStyle = "update"): NarratorState {
  const state = { style, planned: new Map(), updates: new Map(), starts: new Map() };
  return { ...state, goes: false, retries: new Map() };
}

/** The phases of an update, as opposed to what runs afterwards. */
const UPDATE: ReadonlySet<PhaseName> = new Set(["build", "push", "deploy", "command", "test"]);

/** What there is to say of an event. `hasOutput`: whether lines of a phase have been shown. */
export function narrate(
  event: RunEvent,
  state: NarratorState,
  hasOutput: (phase: PhaseId) => boolean = () => false,
): Narration[] {
  switch (event.type) {
    case "run-started":
      return [{ text: startText(event) }];
    case "planned":
      for (const planned of event.resources) state.planned.set(planned.name, planned);
      return [];
    case "warning":
      return [{ text: `WARNING: ${event.message}`, level: "warn", quiet: true, ...about(event) }];
    case "notice":
      return [{ text: event.message, quiet: true, ...about(event) }];
    case "cluster-event":
      return event.warning || event.reason === "Pulling" || event.reason === "Pulled"
        ? [
            {
              text: `[event: ${event.object}] ${event.message}`,
              resource: event.resource,
              source: "runtime",
            },
          ]
        : [];
    case "phase-started":
      return started(event, state);
    case "cluster":
      if (event.cluster.name !== undefined) state.goes = true;
      if (event.cluster.stays) state.goes = false;
      return [];
    case "phase-retried":
      return retried(event, state);
    case "phase-finished":
      return [...retriesInAll(event, state), ...finished(event, state, hasOutput)];
    default:
      return [];
  }
}

/** One line for each reason, however often it is met: how often is told at the end. */
function retried(
  event: Extract<RunEvent, { type: "phase-retried" }>,
  state: NarratorState,
): Narration[] {
  const { resource, phase, failure, attempt } = event;
  const label = phaseLabel({ name: phase, ...subjectOf(event) });
  const key = phaseTitle(resource, { name: phase, ...subjectOf(event) });
  const known = state.retries.get(key) ?? { count: 0, told: new Set() };
  state.retries.set(key, known);
  known.count++;
  // ports, times and counters of the same message differ
  const reason = `${failure.object ?? ""} ${failure.message.replace(/\d+/g, "0")}`;
  if (known.told.has(reason)) return [];
  known.told.add(reason);
  const text = `WARNING: ${label}: attempt ${attempt} failed: ${withCode(failure.message, failure.code)}; trying again`;
  return [{ text, level: "warn", resource, quiet: true }];
}

function retriesInAll(
  event: Extract<RunEvent, { type: "phase-finished" }>,
  { retries }: NarratorState,
): Narration[] {
  const { resource, phase } = event;
  const known = retries.get(phaseTitle(resource, { name: phase, ...subjectOf(event) }));
  if (known === undefined || known.count === known.told.size) return [];
  const label = phaseLabel({ name: phase, ...subjectOf(event) });
  const text = `WARNING: ${label}: ${known.count} attempts failed in all`;
  return [{ text, level: "warn", resource, quiet: true }];
}

function about({ resource }: { readonly resource?: string }): { readonly resource?: string } {
  return resource === undefined ? {} : { resource };
}

function startText({ run }: Extract<RunEvent, { type: "run-started" }>): string {
  const limit = (name: string, ms: number) => `${name} ${ms === 0 ? "none" : formatDuration(ms)}`;
  const { timeoutMs, readinessTimeoutMs } = run.limits;
  return `tilt-ci ${run.version}, run ${run.id}: ${limit("timeout", timeoutMs)}, ${limit("readiness timeout", readinessTimeoutMs)}`;
}

function started(
  event: Extract<RunEvent, { type: "phase-started" }>,
  state: NarratorState,
): Narration[] {
  const { resource, phase, at } = event;
  state.starts.set(phaseTitle(resource, { name: phase, ...subjectOf(event) }), at);
  const title = state.planned
    .get(resource)
    ?.phases.find((planned) => planned.phase === phase && planned.subject === event.subject)?.title;
  const command: Narration[] =
    title === undefined ? [] : [{ text: `Running cmd: ${title}`, resource, source: "runtime" }];
  if (!UPDATE.has(phase)) return command;
  const source = phase === "build" || phase === "push" ? "build" : "runtime";
  const opening: Narration[] = [];
  let update = state.updates.get(resource);
  if (update === undefined) {
    const phases = state.planned.get(resource)?.phases ?? [];
    const total = phases.filter((planned) => UPDATE.has(planned.phase)).length;
    update = { steps: [], total: Math.max(1, total), startedAt: at };
    state.updates.set(resource, update);
    const space = state.style === "update" ? "\n" : "";
    opening.push({ text: `${space}Initial Build`, resource, always: true });
  }
  const name = stepName(event);
  update.steps.push({ name, startedAt: at });
  if (phase === "command" || phase === "test") return [...opening, ...command];
  const number = Math.min(update.steps.length, update.total);
  const text = `STEP ${number}/${update.total} — ${name}`;
  return [...opening, { text, resource, source }];
}

function stepName({
  phase,
  subject,
}: {
  readonly phase: PhaseName;
  readonly subject?: string;
}): string {
  if (phase === "build") return `Building image: [${subject ?? ""}]`;
  if (phase === "push") return `Pushing ${subject ?? ""}`;
  return phase === "deploy" ? "Deploying" : "Running command";
}

function finished(
  event: Extract<RunEvent, { type: "phase-finished" }>,
  state: NarratorState,
  hasOutput: (phase: PhaseId) => boolean,
): Narration[] {
  const { resource, phase, status, failure } = event;
  const label = phaseLabel({ name: phase, ...subjectOf(event) });
  const update = state.updates.get(resource);
  const name = stepName(event);
  const step = update?.steps.find((known) => known.name === name && known.durationMs === undefined);
  if (step !== undefined) step.durationMs = event.at - step.startedAt;
  if (failure !== undefined && (status === "failed" || status === "error")) {
    const what =
      phase === "build"
        ? "Build Failed: "
        : phase === "ready"
          ? ""
          : `${phaseTitle(resource, { name: phase, ...subjectOf(event) })}: `;
    // The detail of what has printed something is the end of that.
    const told = failure.detail === undefined || hasOutput(phaseIdOf(event));
    const detail = told ? "" : `\n${failure.detail}`;
    return [
      {
        text: `ERROR: ${what}${withCode(failure.message, failure.code)}${detail}`,
        level: "error",
        resource,
        quiet: true,
      },
    ];
  }
  if (status === "skipped" || (status === "cancelled" && state.style === "phase")) return [];
  // A run that made no cluster, or leaves it up, has torn nothing down.
  if (phase === "teardown" && status === "passed" && !state.goes) return [];
  if (state.style === "update" && UPDATE.has(phase) && status === "passed")
    return update !== undefined && isDone(update) ? [summary(update, resource)] : [];
  const start = state.starts.get(phaseTitle(resource, { name: phase, ...subjectOf(event) }));
  const time = start === undefined ? "" : ` after ${formatDuration(event.at - start)}`;
  return [{ text: `${label} ${status}${time}`, resource, quiet: true, isEnd: true }];
}

function isDone({ steps, total }: Update): boolean {
  return steps.length >= total && steps.every(({ durationMs }) => durationMs !== undefined);
}

/** Tilt's table at the end of an update. */
function summary({ steps, startedAt }: Update, resource: string): Narration {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)}s`;
  const end = Math.max(...steps.map((step) => step.startedAt + (step.durationMs ?? 0)));
  const lines = [
    ...steps.map(
      (step, i) => `     Step ${i + 1} - ${seconds(step.durationMs ?? 0)} (${step.name})`,
    ),
    `     DONE IN: ${seconds(end - startedAt)}`,
    "",
  ];
  return { text: lines.join("\n"), resource };
}
