import type { RunEvent } from "../../src/model/event.ts";
import { createRandom } from "./random.ts";

/**
 * How a run is ended. `none`: not at all; `epipe`: nobody reads its output any more; `disk`: its report disk is full;
 * `crash`: a bug of ours that nobody catches.
 */
export const ENDINGS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGINT twice",
  "SIGKILL",
  "epipe",
  "disk",
  "crash",
  "none",
] as const;
export type Ending = (typeof ENDINGS)[number];

/** The moments that `--events` shows: each `type` or `type:phase` or `reached:milestone` of a whole run. */
export const BOUNDARIES = [
  "run-started",
  "phase-started:evaluate",
  "phase-finished:evaluate",
  "planned",
  "phase-started:create",
  "phase-finished:create",
  "phase-started:registry",
  "phase-finished:registry",
  "reached:registry",
  "reached:api",
  "phase-started:build",
  "phase-finished:build",
  "phase-started:push",
  "phase-finished:push",
  "phase-started:deploy",
  "phase-finished:deploy",
  "observed",
  "phase-finished:ready",
  "phase-finished:job",
  "phase-started:command",
  "phase-finished:command",
  "phase-started:serve",
  "phase-finished:serve",
  "phase-started:test",
  "phase-finished:test",
  "verdict",
  "phase-started:teardown",
  "phase-finished:teardown",
  "run-finished",
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** One broken run, decided by seed and step alone. */
export interface Step {
  readonly seed: number;
  readonly step: number;
  readonly ending: Ending;
  /** A boundary, or milliseconds after the start. */
  readonly moment: Boundary | number;
  /** For `SIGINT twice`: milliseconds between the two. */
  readonly againAfterMs: number;
  /** With a Compose project, which takes longer. */
  readonly compose: boolean;
}

/**
 * Even steps go through the boundaries, odd ones take a random moment of a run that takes about `durationMs`. Endings
 * are shifted against boundaries, so that 18 times as many steps as boundaries meet every pair.
 */
export function planStep(seed: number, step: number, durationMs: number): Step {
  const random = createRandom(seed, step);
  const turn = Math.floor(step / 2);
  const offset = createRandom(seed, -1).below(BOUNDARIES.length);
  const atBoundary = step % 2 === 0;
  const boundary = BOUNDARIES[(turn + offset) % BOUNDARIES.length]!;
  const rounds = Math.floor(turn / BOUNDARIES.length);
  const moment = atBoundary ? boundary : random.below(durationMs);
  return {
    seed,
    step,
    ending: ENDINGS[(turn * 2 + rounds + (atBoundary ? 0 : random.below(7))) % ENDINGS.length]!,
    moment,
    againAfterMs: random.below(1500),
    compose: random.below(3) === 0,
  };
}

/** The names under which an event may be awaited. */
export function boundariesOf(event: RunEvent): readonly string[] {
  if (event.type === "phase-started" || event.type === "phase-finished")
    return [`${event.type}:${event.phase}`];
  if (event.type === "reached") return [`reached:${event.milestone}`];
  return [event.type];
}

export function describeStep({ step, ending, moment, againAfterMs, compose }: Step): string {
  const when = typeof moment === "number" ? `after ${moment} ms` : `at ${moment}`;
  const twice = ending === "SIGINT twice" ? `, again after ${againAfterMs} ms` : "";
  return `step ${step}: ${ending} ${when}${twice}${compose ? ", with Compose" : ""}`;
}
