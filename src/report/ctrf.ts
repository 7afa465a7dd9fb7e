import type { PhaseResult, ResourceResult, RunResult } from "../model/run-result.ts";
import { plainLine, plainText } from "./plain-text.ts";
import { caseName, withCode } from "./wording.ts";

/* Common Test Report Format 0.0.0: its objects are closed, so what is ours goes under `extra["tilt-ci"]`. */

type CtrfStatus = "passed" | "failed" | "skipped" | "pending" | "other";

/** `--ctrf FILE`: a flat list of cases, the same as in JUnit. */
export function renderCtrf(result: RunResult): string {
  const tests = result.resources.flatMap((resource) =>
    resource.enabled ? resource.phases.map((phase) => toTest(resource, phase, result)) : [],
  );
  const start = epochMs(result.startedAt);
  const countOf = (status: CtrfStatus) => tests.filter((test) => test.status === status).length;
  const report = {
    reportFormat: "CTRF",
    specVersion: "0.0.0",
    timestamp: result.finishedAt ?? result.startedAt ?? new Date(0).toISOString(),
    generatedBy: "tilt-ci",
    results: {
      tool: { name: "tilt-ci", version: result.run.version },
      summary: {
        tests: tests.length,
        passed: countOf("passed"),
        failed: countOf("failed"),
        skipped: countOf("skipped"),
        pending: countOf("pending"),
        other: countOf("other"),
        suites: new Set(tests.map(({ suite }) => suite[0])).size,
        start,
        stop: start + result.durationMs,
      },
      tests,
      environment: {
        ...(result.run.gitSha !== null && { commit: result.run.gitSha }),
        extra: { "tilt-ci": { ...result.environment } },
      },
      extra: {
        "tilt-ci": {
          verdict: result.verdict,
          exitCode: result.exitCode,
          complete: result.complete,
          firstCause: result.firstCause,
        },
      },
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function toTest(resource: ResourceResult, phase: PhaseResult, result: RunResult) {
  const { failure } = phase;
  const position = failure?.position ?? resource.position;
  const status = STATUS[phase.status];
  const start = phase.startedAt === null ? undefined : epochMs(phase.startedAt);
  const message =
    failure === undefined ? phase.skipReason : withCode(failure.message, failure.code);
  return {
    name: plainLine(caseName(resource.name, phase)),
    status,
    duration: Math.round(phase.durationMs),
    ...(start !== undefined && { start, stop: start + Math.round(phase.durationMs) }),
    suite: [resource.name],
    ...(message !== undefined && { message: plainLine(message) }),
    ...(failure?.detail !== undefined && { trace: plainText(failure.detail) }),
    rawStatus: phase.status,
    type: phase.name === "test" ? "e2e" : phase.name,
    filePath: position?.file ?? result.run.tiltfile,
    ...(position !== null && position !== undefined && { line: position.line }),
    ...(phase.attempts.length > 1 && {
      retries: phase.attempts.length - 1,
      retryAttempts: phase.attempts.slice(0, -1).map((attempt, index) => ({
        attempt: index + 1,
        status: STATUS[attempt.status],
        duration: Math.round(attempt.durationMs),
        ...(attempt.failure !== undefined && { message: plainLine(attempt.failure.message) }),
      })),
    }),
    flaky: phase.flaky ?? false,
    ...(phase.log?.tail !== undefined &&
      phase.log.tail.length > 0 && { stdout: [...phase.log.tail] }),
    ...(phase.log !== undefined && {
      attachments: [{ name: "log", contentType: "text/plain", path: phase.log.path }],
    }),
    extra: {
      "tilt-ci": {
        ...(phase.code !== null && { code: phase.code }),
        ...(phase.cached && { cached: true }),
        ...(phase.causedBy !== undefined && { causedBy: phase.causedBy }),
      },
    },
  };
}

const STATUS: Readonly<Record<PhaseResult["status"], CtrfStatus>> = {
  passed: "passed",
  failed: "failed",
  error: "failed",
  skipped: "skipped",
  pending: "pending",
  running: "other",
  cancelled: "other",
};

function epochMs(timestamp: string | null): number {
  return timestamp === null ? 0 : Date.parse(timestamp);
}
