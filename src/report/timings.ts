import { PHASES } from "../model/result.ts";
import type { PhaseTiming } from "../model/run-result.ts";
import { timestamp } from "./places.ts";
import type { PhaseState, RunState } from "./state.ts";

/** How long each kind of phase kept the run busy: the union of the spans of all phases of that name. */
export function phaseTimings(state: RunState): PhaseTiming[] {
  const spans = new Map<string, [start: number, end: number][]>();
  for (const resource of state.resources.values())
    for (const phase of resource.phases.values()) {
      const span = spanOf(phase, state.now);
      if (span === undefined) continue;
      const known = spans.get(phase.id.phase);
      if (known === undefined) spans.set(phase.id.phase, [span]);
      else known.push(span);
    }
  return PHASES.flatMap((phase) => {
    const of = spans.get(phase);
    if (of === undefined) return [];
    return [
      {
        phase,
        startedAt: timestamp(Math.min(...of.map(([start]) => start))),
        finishedAt: timestamp(Math.max(...of.map(([, end]) => end))),
        durationMs: unionLength(of),
        count: of.length,
      },
    ];
  });
}

/** Start and end in epoch ms of a phase that has run; one that still runs ends now. */
export function spanOf(phase: PhaseState, now: number): [start: number, end: number] | undefined {
  if (phase.startedAt === undefined) return undefined;
  return [phase.startedAt, Math.max(phase.startedAt, phase.finishedAt ?? now)];
}

function unionLength(spans: readonly (readonly [number, number])[]): number {
  let total = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total;
}
