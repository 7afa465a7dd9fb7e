import type { RunInfo } from "./event.ts";
import type { ReadinessMode, ResourceType } from "./plan.ts";
import type { ReasonCode } from "./reason.ts";
import type { PhaseName, PhaseStatus, Verdict } from "./result.ts";

/*
 * The one model of results: every report format is a pure function of a `RunResult`, and `report.json` is one.
 * docs/report.schema.json is generated from this file (scripts/report-schema.mjs): comments here are its descriptions.
 * Within a major version fields are only added. A key without `?` is always there; `null` says "nothing to tell".
 */

/** Version of the shape below: readers accept any 1.x and ignore fields that they do not know. */
export const SCHEMA_VERSION = "1.0";

/** A point in time: RFC 3339, UTC, milliseconds. */
export type Timestamp = string;

/** The result of one run, complete or, while it goes on or after it was killed, as far as it got. */
export interface RunResult {
  /** Where the JSON Schema of this file is: its path in the tilt-ci package. */
  readonly $schema: string;
  readonly schemaVersion: string;
  readonly run: ReportedRun;
  /** False when the file was written before the run came to its end (it goes on, or was killed). */
  readonly complete: boolean;
  /** `failed`: the user's software; `error`: the input (exit 2) or the environment (exit 3). A run without its end yet is `failed` once something has failed, else `cancelled`. */
  readonly verdict: Verdict;
  /** What the process exits with. */
  readonly exitCode: number;
  /** One sentence; names the first cause where there is one. */
  readonly message: string;
  readonly startedAt: Timestamp | null;
  readonly finishedAt: Timestamp | null;
  readonly durationMs: number;
  /** The culprits, most telling first; empty when nothing failed. All other failures are `echo` or `blocked`. */
  readonly firstCause: readonly FirstCause[];
  readonly counts: ResultCounts;
  /** `(cluster)` and `(Tiltfile)` first, then the Tiltfile's resources in its order. */
  readonly resources: readonly ResourceResult[];
  /** How long each kind of phase kept the run busy. */
  readonly timings: readonly PhaseTiming[];
  /** The chain of phases that made the run as long as it was, in order of time. */
  readonly criticalPath: readonly PathSegment[];
  readonly images: readonly ImageResult[];
  /** The cluster that the run used; null when it needed none. */
  readonly cluster: ReportedCluster | null;
  readonly limits: ReportedLimits;
  /** Facts about where it ran: versions, CI system, platform. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files beside this report. */
  readonly artifacts: readonly Artifact[];
  readonly warnings: readonly ReportedWarning[];
}

/** Which run this was. */
export interface ReportedRun {
  readonly id: string;
  /** Version of tilt-ci. */
  readonly version: string;
  readonly command: string;
  readonly argv: readonly string[];
  /** Path of the Tiltfile, relative to the repository (else to its directory), with `/`. */
  readonly tiltfile: string;
  readonly directory: string;
  readonly gitSha: string | null;
  readonly clusterName: string | null;
  readonly ci: string | null;
  readonly hostname: string;
}

/** How the run's cluster is (or was) reached. */
export interface ReportedCluster {
  /** Name of the kind cluster; null for one that was there before. */
  readonly name: string | null;
  readonly context: string;
  /** Absolute path. */
  readonly kubeconfig: string;
  /** Where this machine pushes images; null when it has no registry. */
  readonly registryHost: string | null;
  /** It is still there when the run has ended. */
  readonly stays: boolean;
}

/** Limits in force in milliseconds; 0 = none. */
export type ReportedLimits = RunInfo["limits"];

/** A place in a file: relative to the repository with `/` where it lies inside it, else absolute. 1-based. */
export interface ReportedPosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A culprit: something that failed by itself. */
export interface FirstCause {
  readonly resource: string;
  readonly phase: PhaseName;
  /** The image of a build or push. */
  readonly subject?: string;
  readonly code: ReasonCode;
  /** One line: `Kind/namespace/name: what happened`. */
  readonly message: string;
  readonly position: ReportedPosition | null;
  readonly detail?: string;
  readonly object?: string;
  readonly hint?: string;
  /** When it could first be known. */
  readonly evidenceAt: Timestamp | null;
  /** Path of the log that shows it, relative to this file. */
  readonly log?: string;
  /** The same for the same failure in another run: reason, object and message without numbers and hashes. */
  readonly fingerprint: string;
  /** Resources that failed as a consequence. */
  readonly echoes: readonly string[];
  /** Resources that never got to run because of it. */
  readonly blocked: readonly string[];
}

/** How many of the Tiltfile's resources ended how; disabled ones are left out. */
export type ResultCounts = Readonly<Record<PhaseStatus, number>>;

export interface ResourceResult {
  /** Name in the Tiltfile, `(Tiltfile)` or `(cluster)`. */
  readonly name: string;
  readonly type: ResourceType | "tiltfile" | "cluster";
  readonly status: PhaseStatus;
  readonly enabled: boolean;
  readonly position: ReportedPosition | null;
  /** `culprit`: a first cause; `echo`: failed because of one; `blocked`: waited for one; null: neither. */
  readonly role: FailureRole | null;
  readonly causedBy: readonly CauseLink[];
  readonly startedAt: Timestamp | null;
  readonly finishedAt: Timestamp | null;
  /** Wall time from its first to its last phase, waiting included. */
  readonly durationMs: number;
  readonly readiness?: ReadinessMode;
  readonly resourceDeps: readonly string[];
  readonly labels: readonly string[];
  readonly images: readonly string[];
  readonly objects: readonly string[];
  readonly phases: readonly PhaseResult[];
  /** The last state that its watch saw. */
  readonly observed: ObservedState | null;
  /** Events of its objects as the cluster told them. */
  readonly events: readonly ClusterEvent[];
}

export type FailureRole = "culprit" | "echo" | "blocked";

/** Another phase that something is due to. */
export interface CauseLink {
  readonly resource: string;
  readonly phase: PhaseName;
  /** `blocked`: waited for it in `resource_deps`; `echo`: failed after it and names it; `needs`: uses its outcome. */
  readonly relation: "blocked" | "echo" | "needs";
  /** The line, argument or variable that shows it. */
  readonly evidence?: string;
}

export interface PhaseResult {
  readonly name: PhaseName;
  /** The image of a build or push. */
  readonly subject?: string;
  readonly status: PhaseStatus;
  /** The reason, for whatever did not pass; else null. */
  readonly code: ReasonCode | null;
  readonly startedAt: Timestamp | null;
  readonly finishedAt: Timestamp | null;
  readonly durationMs: number;
  /** One line: why it did not pass. */
  readonly message?: string;
  readonly failure?: ReportedFailure;
  /** For `skipped`: `blocked by db: ready`, `auto_init=False`. */
  readonly skipReason?: string;
  readonly role?: FailureRole;
  readonly causedBy?: readonly CauseLink[];
  /** Nothing had to be done. */
  readonly cached?: boolean;
  /** Passed, but not at the first attempt. */
  readonly flaky?: boolean;
  /** Every attempt in order, the last one included. */
  readonly attempts: readonly Attempt[];
  readonly steps?: readonly Step[];
  /** What it waited for before it could start, or while it ran. */
  readonly holds?: readonly Hold[];
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
  readonly log?: PhaseLog;
}

export interface ReportedFailure {
  readonly code: ReasonCode;
  readonly message: string;
  readonly detail?: string;
  readonly object?: string;
  readonly position: ReportedPosition | null;
  readonly evidenceAt: Timestamp | null;
  readonly hint?: string;
}

export interface Attempt {
  readonly number: number;
  readonly status: PhaseStatus;
  readonly startedAt: Timestamp | null;
  readonly durationMs: number;
  readonly failure?: ReportedFailure;
}

/** A part of a phase. */
export interface Step {
  readonly name: string;
  readonly startedAt: Timestamp;
  readonly durationMs: number;
}

export interface Hold {
  readonly reason: string;
  readonly startedAt: Timestamp;
  readonly durationMs: number;
}

/** The whole output of a phase, in a file. */
export interface PhaseLog {
  /** Relative to this report, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly bytes: number;
  /** The last lines without colours, for phases that did not pass. */
  readonly tail?: readonly string[];
}

export interface ObservedState {
  readonly at: Timestamp;
  readonly state: "pending" | "ready" | "failed" | "crashing";
  readonly summary: string;
  readonly crashes: number;
  readonly pods: readonly ObservedPod[];
}

export interface ObservedPod {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly node?: string;
  /** When the kubelet and the scheduler say that each condition came true. */
  readonly scheduledAt?: Timestamp;
  readonly initializedAt?: Timestamp;
  readonly startedAt?: Timestamp;
  readonly readyAt?: Timestamp;
}

export interface ClusterEvent {
  readonly at: Timestamp;
  readonly object: string;
  readonly reason: string;
  readonly message: string;
  readonly warning: boolean;
  readonly count: number;
}

export interface PhaseTiming {
  readonly phase: PhaseName;
  /** Start of the first such phase. */
  readonly startedAt: Timestamp;
  /** End of the last one. */
  readonly finishedAt: Timestamp;
  /** Wall time during which at least one of them ran. */
  readonly durationMs: number;
  /** How many there were. */
  readonly count: number;
}

export interface PathSegment {
  readonly resource: string;
  readonly phase: PhaseName;
  readonly subject?: string;
  readonly startedAt: Timestamp;
  readonly durationMs: number;
  /** Time between the end of the segment before it and its start. */
  readonly waitedMs: number;
}

export interface ImageResult {
  /** As the Tiltfile spells it. */
  readonly ref: string;
  /** Where it was built or pushed for the first time. */
  readonly resource: string;
  readonly digest: string | null;
  readonly sizeBytes: number | null;
  /** True when the build (or the push) had nothing to do. */
  readonly cacheHit: boolean;
  readonly status: PhaseStatus;
  readonly buildMs: number;
  readonly pushMs: number;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface Artifact {
  /** Relative to this report, with `/`. */
  readonly path: string;
  readonly mime: string;
  readonly bytes: number | null;
  /** Of the file's content, hex; null for files that change with this report. */
  readonly sha256: string | null;
  readonly resource?: string;
}

export interface ReportedWarning {
  readonly at: Timestamp;
  readonly resource?: string;
  readonly message: string;
  readonly position: ReportedPosition | null;
}
