import type { EnvironmentError } from "../../errors.ts";
import type { LogLine, Observation, RunEvent } from "../../model/event.ts";
import type { Evidence } from "../readiness/judgement.ts";

/** Whom a watcher tells what, and what it takes for granted. */
export interface WatcherOptions {
  readonly semantics: "strict" | "tilt";
  /** Each time that what can be said of a resource changes; the first time as soon as it is tracked. */
  readonly onObservation: (resource: string, observation: Observation) => void;
  readonly onClusterEvent: (event: Extract<RunEvent, { readonly type: "cluster-event" }>) => void;
  /** A line of a container. Where a promise is returned, no more of that container is read until it resolves. */
  readonly onLog: (line: PodLogLine) => void | Promise<void>;
  readonly onRestart: (restart: ContainerRestart) => void;
  /** The API server does not answer any more, or does not let us see what a verdict needs. */
  readonly onLost: (error: EnvironmentError) => void;
  /** How long watches that the server refuses may fail before it counts as lost; a minute by default. */
  readonly blindAfterMs?: number;
  /** No autoscaler adds nodes: what cannot be scheduled now never will. True by default. */
  readonly staticNodes?: boolean;
  /** See Evidence.nobodyElse. False by default. */
  readonly nobodyElse?: boolean;
  /** See Evidence.ownRegistry. */
  readonly ownRegistry?: string | undefined;
  /** See Evidence.mayStillAppear. Never by default. */
  readonly mayStillAppear?: Evidence["mayStillAppear"];
  /** Epoch ms: log lines from before belong to earlier runs. The time of the call by default. */
  readonly startedAt?: number;
}

/** A line that a container wrote. */
export interface PodLogLine extends LogLine {
  readonly pod: string;
  readonly namespace: string;
  readonly container: string;
}

export interface ContainerRestart {
  readonly resource: string;
  readonly pod: string;
  readonly container: string;
  readonly restarts: number;
}
