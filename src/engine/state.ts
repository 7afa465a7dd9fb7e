import type { Observation, RunEvent } from "../model/event.ts";
import type { Failure, PhaseStatus } from "../model/result.ts";
import { taskId } from "./graph.ts";

export interface PhaseState {
  readonly status: PhaseStatus;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly failure?: Failure;
}

/** What a resource looks like from outside, and since when. Times are epoch ms. */
export interface Standing {
  readonly observation: Observation;
  /** Since when `observation.state` has been what it is. */
  readonly stateSince: number;
  readonly everReadyAt?: number;
  readonly lastReadyAt?: number;
  readonly activeSince?: number;
  /** Each growth of the crash count, oldest first. */
  readonly crashHistory: readonly { readonly at: number; readonly crashes: number }[];
}

/** What is known of a run: a fold over its events. */
export interface RunState {
  readonly startedAt: number;
  readonly phases: Map<string, PhaseState>;
  readonly standings: Map<string, Standing>;
  readonly holds: Map<string, string>;
  readonly reached: Set<string>;
  /** Which resource's webhook a deploy is tried again for, by resource. */
  readonly webhooks: Map<string, string>;
  /** Epoch ms of the first failed or errored phase. */
  firstFailureAt: number | undefined;
}

export function initialState(startedAt: number): RunState {
  return {
    startedAt,
    phases: new Map(),
    standings: new Map(),
    holds: new Map(),
    reached: new Set(),
    webhooks: new Map(),
    firstFailureAt: undefined,
  };
}

/** Takes one more event in. Mutates and returns `state`: there is one reader, and a run has thousands of events. */
export function reduce(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case "phase-started":
      state.phases.set(taskId(event.resource, event.phase, event.subject), {
        status: "running",
        startedAt: event.at,
      });
      break;
    case "phase-finished": {
      const id = taskId(event.resource, event.phase, event.subject);
      const before = state.phases.get(id);
      if (event.phase === "deploy") state.webhooks.delete(event.resource);
      state.phases.set(id, {
        ...before,
        status: event.status,
        finishedAt: event.at,
        ...(event.failure ? { failure: event.failure } : {}),
      });
      if (event.status === "failed" || event.status === "error") state.firstFailureAt ??= event.at;
      break;
    }
    case "phase-retried":
      if (event.waitsFor === undefined) state.webhooks.delete(event.resource);
      else state.webhooks.set(event.resource, event.waitsFor);
      break;
    case "holding":
      state.holds.set(taskId(event.resource, event.phase), event.reason);
      break;
    case "reached":
      state.reached.add(`${event.resource}|${event.milestone}`);
      break;
    case "observed":
      state.standings.set(
        event.resource,
        observe(state.standings.get(event.resource), event.observation, event.at),
      );
      break;
  }
  return state;
}

function observe(before: Standing | undefined, observation: Observation, at: number): Standing {
  const ready = observation.state === "ready";
  const sameState = before?.observation.state === observation.state;
  const crashed = observation.crashes > (before?.crashHistory.at(-1)?.crashes ?? 0);
  const everReadyAt = before?.everReadyAt ?? (ready ? at : undefined);
  const lastReadyAt = ready ? at : before?.observation.state === "ready" ? at : before?.lastReadyAt;
  const activeSince = observation.active ? (before?.activeSince ?? at) : undefined;
  return {
    observation,
    stateSince: sameState ? before.stateSince : at,
    ...(everReadyAt === undefined ? {} : { everReadyAt }),
    ...(lastReadyAt === undefined ? {} : { lastReadyAt }),
    ...(activeSince === undefined ? {} : { activeSince }),
    crashHistory: crashed
      ? [...(before?.crashHistory ?? []), { at, crashes: observation.crashes }]
      : (before?.crashHistory ?? []),
  };
}
