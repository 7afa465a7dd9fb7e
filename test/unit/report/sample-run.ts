import type { Observation, PlannedResource, RunEvent, RunInfo } from "../../../src/model/event.ts";
import type { ReasonCode } from "../../../src/model/reason.ts";
import type { Failure, PhaseName } from "../../../src/model/result.ts";
import type { LogIndex } from "../../../src/report/log-index.ts";
import { type PhaseId, phaseKey } from "../../../src/report/log-path.ts";

/** 2026-01-01T00:00:00Z: times of sample events are seconds after it. */
export const T0 = Date.UTC(2026, 0, 1);
export const at = (seconds: number): number => T0 + Math.round(seconds * 1000);

export const RUN: RunInfo = {
  id: "run-1",
  version: "0.1.0",
  command: "ci",
  argv: ["ci", "--file", "Tiltfile"],
  tiltfile: "/repo/Tiltfile",
  directory: "/repo",
  repository: "/repo",
  gitSha: "0123456789abcdef0123456789abcdef01234567",
  clusterName: "tilt-ci-run-1",
  hostname: "runner",
  limits: {
    timeoutMs: 1_800_000,
    readinessTimeoutMs: 300_000,
    gracePeriodMs: 0,
    stableForMs: 0,
    failureWindowMs: 10_000,
  },
  environment: { platform: "linux", docker: "20.10.24", kubernetes: "v1.34.4" },
};

/** A Kubernetes resource with the usual phases. */
export function planned(
  name: string,
  options: Partial<PlannedResource> & { line?: number } = {},
): PlannedResource {
  const { line = 1, images = [], ...rest } = options;
  return {
    name,
    type: "k8s",
    position: { file: "/repo/Tiltfile", line, column: 1 },
    enabled: true,
    autoInit: true,
    resourceDeps: [],
    labels: [],
    images,
    objects: [`Deployment/default/${name}`],
    addresses: [name, `${name}.default`],
    phases: [
      ...images.flatMap((subject) => [
        { phase: "build" as const, subject },
        { phase: "push" as const, subject },
      ]),
      { phase: "deploy" },
      { phase: "ready" },
    ],
    ...rest,
  };
}

export function failure(code: ReasonCode, message: string, more: Partial<Failure> = {}): Failure {
  return { code, message, ...more };
}

/** Collects events in the order in which they are told. */
export class Story {
  readonly events: RunEvent[] = [];
  constructor(resources: readonly PlannedResource[] = [], run: RunInfo = RUN) {
    this.events.push({ type: "run-started", at: at(0), run });
    if (resources.length > 0) {
      this.passed("(Tiltfile)", "evaluate", 0, 1);
      this.events.push({ type: "planned", at: at(1), resources });
    }
  }

  add(event: RunEvent): this {
    this.events.push(event);
    return this;
  }

  started(resource: string, phase: PhaseName, from: number, subject?: string): this {
    return this.add({
      type: "phase-started",
      at: at(from),
      resource,
      phase,
      attempt: 1,
      ...(subject !== undefined && { subject }),
    });
  }

  passed(
    resource: string,
    phase: PhaseName,
    from: number,
    to: number,
    more: { subject?: string; cached?: boolean; facts?: Record<string, string | number> } = {},
  ): this {
    this.started(resource, phase, from, more.subject);
    return this.add({
      type: "phase-finished",
      at: at(to),
      resource,
      phase,
      attempt: 1,
      status: "passed",
      ...more,
    });
  }

  failed(
    resource: string,
    phase: PhaseName,
    from: number,
    to: number,
    why: Failure,
    more: { subject?: string; status?: "failed" | "error" } = {},
  ): this {
    this.started(resource, phase, from, more.subject);
    return this.add({
      type: "phase-finished",
      at: at(to),
      resource,
      phase,
      attempt: 1,
      status: more.status ?? "failed",
      failure: why,
      ...(more.subject !== undefined && { subject: more.subject }),
    });
  }

  observed(resource: string, seconds: number, observation: Partial<Observation>): this {
    return this.add({
      type: "observed",
      at: at(seconds),
      resource,
      observation: {
        state: "pending",
        summary: "0 of 1 ready",
        crashes: 0,
        active: false,
        pods: [],
        ...observation,
      },
    });
  }

  verdict(
    seconds: number,
    verdict: "passed" | "failed" | "error" | "cancelled",
    exitCode: number,
    message = verdict as string,
  ): this {
    return this.add({ type: "verdict", at: at(seconds), verdict, exitCode, message });
  }

  finished(seconds: number, exitCode: number): this {
    return this.add({ type: "run-finished", at: at(seconds), exitCode });
  }
}

/** A log index over lines in memory. */
export function logsOf(logs: readonly (readonly [PhaseId, readonly string[]])[]): LogIndex {
  const known = new Map(logs.map(([id, lines]) => [phaseKey(id), lines]));
  return {
    describe(id) {
      const lines = known.get(phaseKey(id));
      return lines && { lines: lines.length, bytes: lines.join("\n").length + 1 };
    },
    tail: (id, lines) => (known.get(phaseKey(id)) ?? []).slice(-lines),
  };
}

/** db crashes; api and worker fail because of it, web waits for api; cache is fine. */
export function redStory(): Story {
  return new Story([
    planned("db", { line: 10 }),
    planned("cache", { line: 14 }),
    planned("api", {
      line: 20,
      images: ["example/api"],
      mentions: ["DATABASE_URL=postgres://db:5432/app"],
    }),
    planned("worker", { line: 26, resourceDeps: ["cache"] }),
    planned("web", { line: 30, resourceDeps: ["api"], images: ["example/web"] }),
  ])
    .passed("(cluster)", "registry", 0, 1)
    .passed("(cluster)", "create", 0, 12)
    .passed("api", "build", 1, 9, {
      subject: "example/api",
      facts: { digest: `sha256:${"a".repeat(64)}`, sizeBytes: 1234567 },
    })
    .passed("api", "push", 9, 13, { subject: "example/api" })
    .passed("web", "build", 1, 7, { subject: "example/web", cached: true })
    .passed("web", "push", 7, 13, { subject: "example/web" })
    .passed("db", "deploy", 12, 13)
    .passed("cache", "deploy", 12, 13)
    .passed("cache", "ready", 13, 16)
    .passed("api", "deploy", 13, 14)
    .passed("worker", "deploy", 16, 17)
    .failed(
      "db",
      "ready",
      13,
      24,
      failure("CrashLoop", "Deployment/default/db: exit 1, 4 restarts", {
        object: "Deployment/default/db",
        detail: "last words: data directory has wrong ownership",
        evidenceAt: at(15),
        hint: "Look at the container's last output",
      }),
    )
    .failed(
      "api",
      "ready",
      14,
      26,
      failure("CrashLoop", "Deployment/default/api: exit 1, 3 restarts", { evidenceAt: at(17) }),
    )
    .failed(
      "worker",
      "ready",
      17,
      27,
      failure("ProbeFailed", "Deployment/default/worker: readiness probe failed", {
        evidenceAt: at(19),
      }),
    )
    .verdict(27, "failed", 1, "db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)")
    .passed("(cluster)", "teardown", 27, 30)
    .finished(30, 1);
}

export const RED_LOGS = logsOf([
  [{ resource: "db", phase: "ready" }, ["starting", "FATAL: data directory has wrong ownership"]],
  [
    { resource: "api", phase: "ready" },
    ["listening on 8080", "Error: connect ECONNREFUSED 10.96.0.10:5432"],
  ],
  [
    { resource: "worker", phase: "ready" },
    ['could not translate host name "db" to address: Name or service not known'],
  ],
  [{ resource: "cache", phase: "ready" }, ["Ready to accept connections"]],
  [
    { resource: "api", phase: "build", subject: "example/api" },
    ["#1 load Dockerfile", "#2 DONE 0.3s"],
  ],
]);

/** Everything passes; one build is flaky. */
export function greenStory(): Story {
  return new Story([
    planned("db", { line: 10 }),
    planned("api", { line: 20, images: ["example/api"], resourceDeps: ["db"] }),
  ])
    .passed("(cluster)", "registry", 0, 1)
    .passed("(cluster)", "create", 0, 11.5)
    .started("api", "build", 1, "example/api")
    .add({
      type: "phase-retried",
      at: at(3),
      resource: "api",
      phase: "build",
      subject: "example/api",
      attempt: 1,
      failure: failure("Infra", "example/api: connection reset by registry"),
    })
    .add({
      type: "phase-finished",
      at: at(8),
      resource: "api",
      phase: "build",
      subject: "example/api",
      attempt: 2,
      status: "passed",
      facts: { digest: `sha256:${"b".repeat(64)}` },
    })
    .passed("api", "push", 8, 12, { subject: "example/api" })
    .passed("db", "deploy", 11.5, 12)
    .passed("db", "ready", 12, 14)
    .add({
      type: "holding",
      at: at(12),
      resource: "api",
      phase: "deploy",
      reason: "waiting for db: ready",
    })
    .passed("api", "deploy", 14, 14.5)
    .passed("api", "ready", 14.5, 18.25)
    .verdict(18.3, "passed", 0)
    .passed("(cluster)", "teardown", 18.3, 21)
    .finished(21, 0);
}
