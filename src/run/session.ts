import type { RunRecord } from "../cluster/index.ts";
import { CancelledError, PhaseFailure } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { ClusterFacts, LogLine, Milestone, RunEvent, RunInfo } from "../model/event.ts";
import type { Position } from "../model/position.ts";
import { isInfrastructure } from "../model/reason.ts";
import { CLUSTER_SUBJECT, type ExitCode, type Failure, type PhaseName } from "../model/result.ts";
import type { ReportWriter, Scrubber } from "../report/index.ts";
import type { RunOptions } from "../run-options.ts";
import type { EventLog } from "./event-log.ts";
import { infrastructureFailure } from "./loop.ts";
import type { RunVerdict } from "./verdict.ts";

/** Something that has to be ended before the cluster goes; it ends within its own bounds. */
export interface Closable {
  readonly name: string;
  close(verdict: RunVerdict): Promise<void>;
}

/** What all phases of one run share. */
export interface Session {
  readonly info: RunInfo;
  readonly options: RunOptions;
  readonly host: Host;
  /** Without the run's mark on what it starts: for the teardown, which ends every process that carries it. */
  readonly unmarkedHost: Host;
  readonly log: EventLog;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly stateDir: string;
  /** For files of this run that live no longer than it; made by whoever needs it first, removed by the teardown. */
  readonly temporaryDirectory: string;
  /** What this run created, on disk before it exists. */
  readonly record: RunRecord;
  readonly reports: ReportWriter;
  readonly scrubber: Scrubber;
  /** The run is cancelled from outside. */
  readonly cancelled: AbortSignal;
  /** A second signal: logs are not worth waiting for any more. */
  readonly hurry: AbortSignal;
  /** Aborted with the error when the environment breaks down in mid-run. */
  readonly broken: AbortController;
  /** Aborted when the verdict is clear: what still comes up is not wanted any more. */
  readonly over: AbortController;
  /** Fires with any of the three: what the run started then ends. */
  readonly signal: AbortSignal;
  /** The report and state directories: no build context holds them. */
  readonly privatePaths: readonly string[];
  /** To be ended at the same time when the run is over: servers, port-forwards, watches, image tags. */
  readonly closables: Closable[];
  /** After those: objects applied to a cluster that stays, its lock. */
  readonly cleanUps: Closable[];
  /** Last, since all the others may still speak to the API server while they end. */
  readonly connections: Closable[];
  /** Asked before the run passes: undefined when what is known is fresh, else resolves when it is. Never rejects. */
  readonly confirmations: (() => Promise<void> | undefined)[];
  /** What is told of a cluster that stays; absent when there is none. */
  kept: KeptCluster | undefined;
  /** What would make the next run better, told when this one is over. */
  readonly hints: string[];
  /** More collectors of the diagnostics bundle, as parts of the run come to be. */
  readonly collectors: Collector[];
  /** One line of output, raw: it is scrubbed, shown and kept. `at` is now if it does not say. */
  line(line: Omit<LogLine, "at"> & { readonly at?: number }): void;
  warn(message: string, about?: { readonly resource?: string; readonly position?: Position }): void;
  notice(message: string, resource?: string): void;
  reached(resource: string, milestone: Milestone): void;
  now(): number;
  /** Notes a process group that must not outlive the run. */
  ownProcess(pid: number): void;
  /** Appends the verdict, the first time: reports are on disk when it returns. */
  conclude(verdict: RunVerdict): void;
  /** Writes the last reports and returns the exit code. */
  finish(verdict: RunVerdict, tornDown: boolean): ExitCode;
}

/** A cluster that may stay after the run. */
export interface KeptCluster {
  /** Waits until it is whole: a run may pass before `kind create` has returned. */
  settle(): Promise<void>;
  /** It is one of `--reuse`: the next run finds it. */
  readonly isReused: boolean;
  /** How to use it, how to be rid of it. */
  describe(): Promise<string>;
}

/** Collects one part of the diagnostics into a directory, within its own bounds. */
export interface Collector {
  readonly name: string;
  collect(directory: string, signal: AbortSignal): Promise<void>;
}

type PhaseEnd = Pick<
  Extract<RunEvent, { type: "phase-finished" }>,
  "status" | "failure" | "facts" | "cached"
>;

/** Which failure an exception of a phase is. */
type Describe = (error: unknown) => {
  readonly status: "failed" | "error";
  readonly failure: Failure;
};

/**
 * Runs a phase that is no task of the graph (evaluation, the cluster's, teardown) between its two events and hands
 * its outcome or its exception on. What `describe` does not know is ours (Infra).
 */
export async function phase<T>(
  session: Session,
  resource: string,
  name: PhaseName,
  work: () => Promise<T>,
  describe: Describe = (error) => ({ status: "error", failure: infrastructureFailure(error) }),
): Promise<T> {
  const base = { resource, phase: name, attempt: 1 } as const;
  session.log.append({ type: "phase-started", at: session.now(), ...base });
  const finish = (end: PhaseEnd) =>
    session.log.append({ type: "phase-finished", at: session.now(), ...base, ...end });
  try {
    const outcome = await work();
    finish({ status: "passed" });
    return outcome;
  } catch (error) {
    if (error instanceof CancelledError) finish({ status: "cancelled" });
    else if (error instanceof PhaseFailure)
      finish({
        status: isInfrastructure(error.failure.code) ? "error" : "failed",
        failure: error.failure,
      });
    else finish(describe(error));
    throw error;
  }
}

/** A step of a cluster phase: a bar of its own in the timeline. */
export function clusterStep(
  session: Session,
  name: PhaseName,
): (step: string, startedAt: number, at: number) => void {
  return (step, startedAt, at) =>
    session.log.append({
      type: "step",
      resource: CLUSTER_SUBJECT,
      phase: name,
      name: step,
      startedAt,
      at,
    });
}

/** Adds to what is known of the run's cluster. */
export function tellCluster(session: Session, cluster: ClusterFacts): void {
  session.log.append({ type: "cluster", at: session.now(), cluster });
}
