import type { PhaseName } from "../model/result.ts";
import { subjectOf } from "./outcome.ts";
import { plainLine, shorten } from "./plain-text.ts";
import type { Reducer } from "./reduce.ts";
import { orderedResources, type PhaseState, type ResourceState } from "./state.ts";
import { formatDuration, phaseLabel } from "./wording.ts";

const MAX_LINES = 10;
/** Phases that end by what is observed. */
const WATCHED: ReadonlySet<PhaseName> = new Set(["ready", "job", "serve"]);

/** What runs and what it waits for, as lines at the bottom of a terminal. */
export class Footer {
  readonly #reducer: Reducer;
  readonly #now: () => number;
  #finished = false;

  constructor(reducer: Reducer, now: () => number) {
    this.#reducer = reducer;
    this.#now = now;
  }

  /** Nothing more to show. */
  finish(): void {
    this.#finished = true;
  }

  /** The lines for a terminal of this size, none of which wraps. */
  render(columns: number, rows: number): string[] {
    const { state } = this.#reducer;
    if (this.#finished || state.startedAt === undefined) return [];
    const room = Math.max(1, Math.min(MAX_LINES, Math.floor(rows / 3)));
    const width = Math.max(10, columns - 1);
    const lines = this.describe(room - 1, width);
    const elapsed = formatDuration(this.#now() - state.startedAt);
    return [shorten(`── ${elapsed} ${this.#counts()}`, width), ...lines];
  }

  /** A line a phase that runs, or a resource that waits, the longest waiting first: `db  ready  12.0s  0 of 1 ready`. */
  describe(max: number, width: number): string[] {
    const active = this.#active();
    const shown = active.slice(0, max);
    const nameWidth = Math.min(24, Math.max(0, ...shown.map(({ name }) => [...name].length)));
    const whatWidth = Math.min(24, Math.max(0, ...shown.map(({ what }) => [...what].length)));
    const lines = shown.map(({ name, what, since, reason }) => {
      const elapsed = formatDuration(this.#now() - since).padStart(6);
      const line = `${name.padEnd(nameWidth)}  ${what.padEnd(whatWidth)}  ${elapsed}  ${reason}`;
      return shorten(line.trimEnd(), width);
    });
    const more = active.length - shown.length;
    if (more > 0 && lines.length > 0)
      lines[lines.length - 1] = shorten(`… and ${more + 1} more`, width);
    return lines;
  }

  #counts(): string {
    let done = 0;
    let red = 0;
    let all = 0;
    for (const { planned, phases } of this.#reducer.state.resources.values()) {
      const states = [...phases.values()];
      if (planned === undefined || planned.skipReason !== undefined || states.length === 0)
        continue;
      all++;
      if (states.some(({ status }) => status === "failed" || status === "error")) red++;
      else if (states.every(({ status }) => status === "passed")) done++;
    }
    return all === 0 ? "" : `${done} of ${all} ready${red > 0 ? `, ${red} failed` : ""}`;
  }

  #active() {
    return orderedResources(this.#reducer.state)
      .flatMap((resource) =>
        [...resource.phases.values()].flatMap((phase) => activity(resource, phase)),
      )
      .toSorted((a, b) => a.rank - b.rank || a.since - b.since);
  }
}

interface Activity {
  readonly name: string;
  readonly what: string;
  readonly since: number;
  readonly reason: string;
  /** Running before waiting. */
  readonly rank: number;
}

function activity(resource: ResourceState, phase: PhaseState): Activity[] {
  const what = phaseLabel({ name: phase.id.phase, ...subjectOf(phase.id) });
  const hold = phase.holds.at(-1);
  const held = hold?.finishedAt === undefined ? hold : undefined;
  const base = { name: plainLine(resource.name), what: plainLine(what) };
  if (phase.status === "running" && phase.startedAt !== undefined) {
    const watched = WATCHED.has(phase.id.phase);
    const seen = watched ? resource.observed?.observation.summary : undefined;
    const step = phase.steps.at(-1)?.name;
    return [
      {
        ...base,
        since: phase.startedAt,
        reason: plainLine(held?.reason ?? seen ?? step ?? ""),
        rank: 0,
      },
    ];
  }
  if (phase.status === "pending" && held !== undefined)
    return [{ ...base, since: held.startedAt, reason: plainLine(held.reason), rank: 1 }];
  return [];
}
