import type { RunEvent } from "../model/event.ts";
import type { RunResult } from "../model/run-result.ts";
import { type SettleOptions, settle } from "./settle.ts";
import { applyEvent, emptyState, type RunState } from "./state.ts";

/** Reads the event log as it grows. */
export interface Reducer {
  /** Takes the next event; cheap, never throws. */
  add(event: RunEvent): void;
  /** The result so far: valid at any moment. About linear in the number of resources. */
  result(options?: SettleOptions): RunResult;
  /** The state behind it, for readers that need less than a whole result. */
  readonly state: RunState;
}

/** An incremental `reduceResult()`. */
export function createReducer(options: SettleOptions = {}): Reducer {
  const state = emptyState();
  return {
    state,
    add: (event) => applyEvent(state, event),
    result: (more = {}) => settle(state, { ...options, ...more }),
  };
}

/** The result of a run from its event log, whole or cut off anywhere. */
export function reduceResult(events: readonly RunEvent[], options: SettleOptions = {}): RunResult {
  const reducer = createReducer(options);
  for (const event of events) reducer.add(event);
  return reducer.result();
}
