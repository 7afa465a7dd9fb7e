import type { ReadinessMode, ResourceType } from "./plan.ts";
import type { Position } from "./position.ts";
import type { Failure, PhaseName, PhaseStatus, Verdict } from "./result.ts";

/**
 * What happens in a run, in order. Append-only: console, reports, decisions and a later `up` are readers of this log.
 * `at` is epoch milliseconds. `resource` is a resource's name, `(Tiltfile)` or `(cluster)`.
 * A phase is identified by resource + phase + subject (the image's ref for build and push).
 */
export type RunEvent =
  | { readonly type: "run-started"; readonly at: number; readonly run: RunInfo }
  | {
      readonly type: "planned";
      readonly at: number;
      readonly resources: readonly PlannedResource[];
    }
  | {
      readonly type: "phase-started";
      readonly at: number;
      readonly resource: string;
      readonly phase: PhaseName;
      readonly subject?: string;
      readonly attempt: number;
    }
  | {
      readonly type: "phase-finished";
      readonly at: number;
      readonly resource: string;
      readonly phase: PhaseName;
      readonly subject?: string;
      readonly attempt: number;
      readonly status: Exclude<PhaseStatus, "pending" | "running">;
      readonly failure?: Failure;
      /** For `skipped`: `blocked by db: ready`, `auto_init=False` … */
      readonly skipReason?: string;
      /** Nothing had to be done (content already there). */
      readonly cached?: boolean;
      /** Facts of the phase: image digest and size, objects applied, … */
      readonly facts?: Readonly<Record<string, string | number | boolean>>;
    }
  /** An attempt failed for an infrastructure reason and is tried again: the phase goes on, reports call it flaky. */
  | {
      readonly type: "phase-retried";
      readonly at: number;
      readonly resource: string;
      readonly phase: PhaseName;
      readonly subject?: string;
      readonly attempt: number;
      readonly failure: Failure;
      /** The resource that has to come up before an attempt can succeed: it serves a webhook that an object must pass. */
      readonly waitsFor?: string;
    }
  /** A part of a phase worth a bar in the timeline: `Preparing nodes`, `pull`, `kubeadm init`, `upload base layers`. */
  | {
      readonly type: "step";
      readonly resource: string;
      readonly phase: PhaseName;
      readonly subject?: string;
      readonly name: string;
      readonly startedAt: number;
      readonly at: number;
    }
  | {
      readonly type: "holding";
      readonly at: number;
      readonly resource: string;
      readonly phase: PhaseName;
      readonly reason: string;
    }
  /** Something that others wait for exists now: the API server answers, the registry takes pushes, a resource can be reached through its Services and port-forwards. */
  | {
      readonly type: "reached";
      readonly at: number;
      readonly resource: string;
      readonly milestone: Milestone;
    }
  /** Facts of the run's cluster, told when it begins to come up, when its registry answers, and when it is left up. */
  | { readonly type: "cluster"; readonly at: number; readonly cluster: ClusterFacts }
  | {
      readonly type: "observed";
      readonly at: number;
      readonly resource: string;
      readonly observation: Observation;
    }
  | {
      readonly type: "cluster-event";
      readonly at: number;
      readonly resource: string;
      readonly object: string;
      readonly reason: string;
      readonly message: string;
      readonly warning: boolean;
      readonly count: number;
    }
  | {
      readonly type: "warning";
      readonly at: number;
      readonly resource?: string;
      readonly message: string;
      readonly position?: Position;
    }
  | {
      readonly type: "notice";
      readonly at: number;
      readonly resource?: string;
      readonly message: string;
    }
  | {
      readonly type: "verdict";
      readonly at: number;
      readonly verdict: Verdict;
      readonly exitCode: number;
      readonly message: string;
    }
  | { readonly type: "run-finished"; readonly at: number; readonly exitCode: number };

/** A line of output on its way to console and log files. Not part of the event log: logs are kept in files. */
export interface LogLine {
  readonly at: number;
  readonly resource: string;
  readonly phase: PhaseName;
  readonly subject?: string;
  readonly level: "info" | "warn" | "error";
  /** `build` for image builds, `runtime` for all else (as `--log-source` of tilt ci). */
  readonly source: "build" | "runtime";
  /** No line end; may hold ANSI colours of the program that wrote it. Already scrubbed of secrets. */
  readonly text: string;
}

export interface RunInfo {
  readonly id: string;
  readonly version: string;
  readonly command: string;
  readonly argv: readonly string[];
  readonly tiltfile: string;
  readonly directory: string;
  /** Top of the git work tree, if any: positions in reports are relative to it. */
  readonly repository?: string;
  readonly gitSha?: string;
  readonly clusterName?: string;
  readonly ci?: string;
  readonly hostname: string;
  /** Limits in force, in milliseconds; 0 = none. */
  readonly limits: {
    readonly timeoutMs: number;
    readonly readinessTimeoutMs: number;
    readonly gracePeriodMs: number;
    readonly stableForMs: number;
    readonly failureWindowMs: number;
  };
  readonly environment: Readonly<Record<string, string>>;
}

/** How the run's cluster is reached. Later facts are added to earlier ones. */
export interface ClusterFacts {
  /** Name of the kind cluster; absent for one that was there before. */
  readonly name?: string;
  readonly context?: string;
  /** Absolute path. */
  readonly kubeconfig?: string;
  /** Where this machine pushes images. */
  readonly registryHost?: string;
  /** It is still there when the run has ended. */
  readonly stays?: boolean;
}

export type Milestone = "api" | "registry" | "reachable";

/** What reports need to know of a planned resource. */
export interface PlannedResource {
  readonly name: string;
  readonly type: ResourceType;
  readonly position: Position;
  readonly enabled: boolean;
  readonly autoInit: boolean;
  readonly readiness?: ReadinessMode;
  readonly resourceDeps: readonly string[];
  readonly labels: readonly string[];
  readonly images: readonly string[];
  readonly objects: readonly string[];
  /** The phases that a full run of it has, with their subjects. */
  readonly phases: readonly PlannedPhase[];
  /** Why this run does not start it: `auto_init=False`, `disabled`. */
  readonly skipReason?: string;
  /** Names under which other resources reach it: Services, pods' owners, compose services. For telling an echo from a cause. */
  readonly addresses: readonly string[];
  /** Arguments and environment (`NAME=value`) of what it runs: an echo may name its culprit there. Scrubbed like any text. */
  readonly mentions?: readonly string[];
}

export interface PlannedPhase {
  readonly phase: PhaseName;
  readonly subject?: string;
  /** What it runs, in a line. */
  readonly title?: string;
}

/** What the watch of a deployed resource says at one instant: pure function of cached objects (src/kubernetes/readiness). */
export interface Observation {
  /** `crashing`: a container has crashed and may still recover; judged by the crash policy. */
  readonly state: "pending" | "ready" | "failed" | "crashing";
  /** A short word for footers and timeouts, kubectl style: `ContainerCreating`, `1 of 3 ready`. */
  readonly summary: string;
  /** Why it is not ready; always there for `failed` and `crashing`, best knowledge for `pending`. */
  readonly failure?: Failure;
  /** Crashes (non-zero container ends) seen since this deploy, over all its current pods. */
  readonly crashes: number;
  /** A process runs but is not ready yet (Tilt's "active"): the readiness timeout counts only then. */
  readonly active: boolean;
  readonly pods: readonly PodSummary[];
  /** For `ready`: the epoch ms at which the API server wrote the last condition, as far as known. */
  readonly readySince?: number;
}

export interface PodSummary {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly node?: string;
  /** Epoch ms of what the kubelet and scheduler recorded. */
  readonly scheduledAt?: number;
  readonly initializedAt?: number;
  /** When the last of its containers to start did so. */
  readonly startedAt?: number;
  readonly readyAt?: number;
}
