import type { Position } from "./position.ts";
import type { ReasonCode } from "./reason.ts";

/** Exit codes: docs/reports.md. 0 passed, 1 failed or late resource, 2 bad input, 3 broken environment; by signal 130, 143, 129. */
export const EXIT = {
  passed: 0,
  failed: 1,
  badInput: 2,
  environment: 3,
  sighup: 129,
  sigint: 130,
  sigterm: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of a program that one of these signals has ended, as shells say it. */
export const SIGNAL_EXITS = {
  SIGINT: EXIT.sigint,
  SIGTERM: EXIT.sigterm,
  SIGHUP: EXIT.sighup,
} as const;

/** What a run says that has passed: Tilt's line; smoke has started nothing that could be healthy. */
export function successMessage(command: string): string {
  return command === "smoke"
    ? "SUCCESS. Tiltfile, images and objects are in order; nothing was deployed."
    : "SUCCESS. All workloads are healthy.";
}

export type Verdict = "passed" | "failed" | "error" | "cancelled";
export const PHASES = [
  "evaluate",
  "create",
  "registry",
  "build",
  "push",
  "deploy",
  "ready",
  "job",
  "command",
  "serve",
  "test",
  "teardown",
] as const;
export type PhaseName = (typeof PHASES)[number];
export type PhaseStatus =
  | "pending"
  | "running"
  | "passed"
  | "failed"
  | "error"
  | "skipped"
  | "cancelled";

/** The two subjects that are no resources of the Tiltfile. Spelled so everywhere. */
export const TILTFILE_SUBJECT = "(Tiltfile)";
export const CLUSTER_SUBJECT = "(cluster)";

/** A bad end of a phase: what happened, to which object, since when it could be known. */
export interface Failure {
  readonly code: ReasonCode;
  /** One line, starts with the object or command it is about. */
  readonly message: string;
  /** More lines: command output tail, the builder's error, an API server's field error. */
  readonly detail?: string;
  /** `Kind/namespace/name`, `pod/container`, a command, an image. */
  readonly object?: string;
  readonly position?: Position;
  /** Epoch ms of the first evidence (condition time, exit time), at most the time of the event that tells it. */
  readonly evidenceAt?: number;
  /** What to try, one line. */
  readonly hint?: string;
}
