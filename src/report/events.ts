import type { RunEvent } from "../model/event.ts";
import type { PhaseResult, RunResult } from "../model/run-result.ts";
import { phaseIdOf } from "./log-path.ts";
import { outcomeOf } from "./outcome.ts";
import { timestamp } from "./places.ts";
import type { Reducer } from "./reduce.ts";
import { settlePhaseAlone } from "./settle-resource.ts";
import { orderedPhases } from "./state.ts";

/*
 * `events.ndjson`: one JSON object a line, written while the run goes. A line is the event with its time in RFC 3339; a
 * phase's start and end carry the phase as report.json has it (`result`), the verdict what report.json starts with.
 */

/** A line of the stream for an event that the reducer has just taken. Ends with a line feed. */
export function formatEvent(event: RunEvent, reducer: Reducer): string {
  const line: Record<string, unknown> = { ...event, at: timestamp(event.at) };
  if (event.type === "step") line.startedAt = timestamp(event.startedAt);
  const result = resultOf(event, reducer);
  if (result !== undefined) line.result = result;
  return `${JSON.stringify(line)}\n`;
}

type Outline = Pick<RunResult, "schemaVersion" | "verdict" | "exitCode" | "message" | "firstCause">;

function resultOf(event: RunEvent, reducer: Reducer): PhaseResult | Outline | undefined {
  switch (event.type) {
    case "phase-started":
    case "phase-finished":
      return phaseResult(event, reducer);
    case "verdict":
    case "run-finished": {
      const { schemaVersion, verdict, exitCode, message, firstCause } = reducer.result();
      return { schemaVersion, verdict, exitCode, message, firstCause };
    }
    default:
      return undefined;
  }
}

function phaseResult(
  event: Extract<RunEvent, { type: "phase-started" | "phase-finished" }>,
  { state }: Reducer,
): PhaseResult | undefined {
  const resource = state.resources.get(event.resource);
  if (resource === undefined) return undefined;
  const id = phaseIdOf(event);
  const phase = orderedPhases(resource).find(
    (known) => known.id.phase === id.phase && known.id.subject === id.subject,
  );
  if (phase === undefined) return undefined;
  const outcome =
    phase.status === "running"
      ? ({ status: "running" } as const)
      : outcomeOf(phase, resource, state);
  return settlePhaseAlone(phase, outcome, state);
}

/** Reads a stream back. A last line that was cut off by a kill is left out; other bad lines throw a `SyntaxError`. */
export function parseEvents(text: string): RunEvent[] {
  const lines = text.split("\n");
  const last = lines.pop();
  // A stream ends with a line feed: anything after the last one is the beginning of a line.
  if (last !== undefined && last !== "" && isJson(last)) lines.push(last);
  return lines.filter((line) => line !== "").map(parseEvent);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseEvent(line: string): RunEvent {
  const { result: _, ...event } = JSON.parse(line) as Record<string, unknown>;
  for (const key of ["at", "startedAt"]) {
    const time = event[key];
    if (typeof time === "string") event[key] = Date.parse(time);
  }
  return event as unknown as RunEvent;
}
