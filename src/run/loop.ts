import { setMaxListeners } from "node:events";
import {
  close,
  decide,
  type Graph,
  initialState,
  type Policy,
  type RunState,
  reduce,
  type Task,
} from "../engine/index.ts";
import { CancelledError, InternalError, PhaseFailure, RunError } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import type { RunEvent } from "../model/event.ts";
import { isInfrastructure } from "../model/reason.ts";
import type { Failure } from "../model/result.ts";
import type { EventLog } from "./event-log.ts";

/** What carrying a task out brought, beside success. */
export interface TaskOutcome {
  readonly cached?: boolean;
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

export type Execute = (task: Task, signal: AbortSignal) => Promise<TaskOutcome | undefined>;

export interface LoopOptions {
  readonly graph: Graph;
  readonly policy: Policy;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly execute: Execute;
  /** Fires when the run is cancelled from outside. */
  readonly signal: AbortSignal;
  /** Fires when the environment broke down; its reason is the error. */
  readonly broken: AbortSignal;
  /**
   * Asked when the run could pass: undefined when what is known is fresh enough for that, else it is decided anew once
   * the promise has resolved.
   */
  readonly confirm?: () => Promise<unknown> | undefined;
  /** How it ends, once every phase has ended in the log and before what is stopped has stopped, which takes its grace. */
  readonly onEnd?: (reason: LoopEnd["reason"]) => void;
}

export interface LoopEnd {
  readonly reason: "passed" | "failed" | "timeout" | "cancelled" | "broken";
  readonly state: RunState;
}

/**
 * Carries a graph out: asks the engine what to do after every event and at the times it names, does it, and appends
 * what came of it to the log. When it returns every phase of the graph has ended in the log, and every task that
 * still ran has been told to stop and has stopped.
 */
export async function carryOut(options: LoopOptions): Promise<LoopEnd> {
  const { graph, policy, log, clock } = options;
  const state = initialState(options.startedAt);
  for (const event of log.events) reduce(state, event);
  const stop = new AbortController();
  // all tasks of a large run may wait for the same thing
  setMaxListeners(0, stop.signal);
  const running = new Set<Promise<void>>();
  const reason = await new Promise<LoopEnd["reason"]>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let ticking = false;
    let ended = false;
    const end = (why: LoopEnd["reason"]) => {
      ended = true;
      clearTimeout(timer);
      unlisten();
      resolve(why);
    };
    const tick = () => {
      ticking = false;
      if (ended) return;
      if (options.signal.aborted) return end("cancelled");
      if (options.broken.aborted) return end("broken");
      const decision = decide(graph, state, policy, clock.now());
      for (const event of decision.events) log.append(event);
      if (decision.end?.reason === "passed" && !confirmation.isGiven()) return;
      if (decision.end) return end(decision.end.reason);
      confirmation.expire();
      for (const task of decision.start) {
        const work = perform(task, options, stop.signal).finally(() => running.delete(work));
        running.add(work);
      }
      clearTimeout(timer);
      if (decision.wakeAt !== undefined)
        timer = setTimeout(wake, Math.max(1, decision.wakeAt - clock.now()));
    };
    // One look after all that happened at once, not one per event.
    const wake = () => {
      if (ticking || ended) return;
      ticking = true;
      queueMicrotask(tick);
    };
    const confirmation = new Confirmation(options.confirm, wake);
    const unlisten = log.listen((event) => {
      reduce(state, event);
      wake();
    });
    options.signal.addEventListener("abort", wake);
    options.broken.addEventListener("abort", wake);
    wake();
  });
  const closing = reason === "broken" ? "failed" : reason;
  for (const event of close(graph, state, policy, closing, clock.now())) {
    reduce(state, event);
    log.append(event);
  }
  stop.abort();
  options.onEnd?.(reason);
  await Promise.all(running);
  return { reason, state };
}

/** What speaks for passing may be old: it is asked for anew, and counts for the next decision alone. */
class Confirmation {
  readonly #ask: LoopOptions["confirm"];
  readonly #onGiven: () => void;
  #state: "none" | "asked" | "given" = "none";

  constructor(ask: LoopOptions["confirm"], onGiven: () => void) {
    this.#ask = ask;
    this.#onGiven = onGiven;
  }

  /** Whether the run may pass now; asks, and calls back, when that is not known. */
  isGiven(): boolean {
    if (this.#state !== "none") return this.#state === "given";
    const answer = this.#ask?.();
    if (answer === undefined) return true;
    this.#state = "asked";
    const settle = () => {
      this.#state = "given";
      this.#onGiven();
    };
    answer.then(settle, settle);
    return false;
  }

  /** It was not used: the run could not pass after all. */
  expire(): void {
    if (this.#state === "given") this.#state = "none";
  }
}

/** Runs one task between its two events. A server's success is told by its observations, not by its start. */
async function perform(
  task: Task,
  { log, clock, execute }: LoopOptions,
  signal: AbortSignal,
): Promise<void> {
  const subject = task.subject === undefined ? {} : { subject: task.subject };
  const base = { resource: task.resource, phase: task.phase, attempt: 1, ...subject } as const;
  log.append({ type: "phase-started", at: clock.now(), ...base });
  const finish = (
    event: Pick<
      Extract<RunEvent, { type: "phase-finished" }>,
      "status" | "failure" | "cached" | "facts"
    >,
  ) => {
    // Stopped work has been closed in the log already: what it says afterwards is no news.
    if (!signal.aborted) log.append({ type: "phase-finished", at: clock.now(), ...base, ...event });
  };
  try {
    const outcome = await execute(task, signal);
    if (task.phase !== "serve") finish({ status: "passed", ...outcome });
  } catch (error) {
    if (error instanceof CancelledError) finish({ status: "cancelled" });
    else if (error instanceof PhaseFailure)
      finish({
        status: isInfrastructure(error.failure.code) ? "error" : "failed",
        failure: error.failure,
      });
    else finish({ status: "error", failure: infrastructureFailure(error) });
  }
}

/** What broke the environment, as a failure of the phase that met it. */
export function infrastructureFailure(error: unknown): Failure {
  const { message, hint, cause } = error instanceof RunError ? error : new InternalError(error);
  return {
    code: "Infra",
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(cause === error && error instanceof Error && error.stack ? { detail: error.stack } : {}),
  };
}
