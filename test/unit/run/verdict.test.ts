import { expect, test } from "vitest";
import { EnvironmentError, PhaseFailure } from "../../../src/errors.ts";
import type { RunEvent } from "../../../src/model/event.ts";
import type { Failure } from "../../../src/model/result.ts";
import { cancelledBy, verdictOf, verdictOfError } from "../../../src/run/verdict.ts";

const ended = (resource: string, status: "failed" | "error", failure: Failure): RunEvent => ({
  type: "phase-finished",
  at: 1,
  resource,
  phase: "ready",
  attempt: 1,
  status,
  failure,
});
const crash = ended("web", "failed", { code: "CrashLoop", message: "it crashed" });
const lost = new EnvironmentError("The API server is gone");
const outage = ended("db", "error", { code: "Infra", message: "The API server is gone" });

test.each([
  ["failed", [crash], undefined, "failed", 1],
  ["failed", [outage], undefined, "error", 3],
  ["broken", [], lost, "error", 3],
  ["broken", [outage, crash], lost, "error", 3],
  ["broken", [crash, outage], lost, "failed", 1],
] as const)(
  "verdictOf() tells of what failed first when a run ends %s (%#)",
  (reason, events, broken, verdict, exitCode) => {
    expect(verdictOf(reason, events, { command: "ci", broken })).toMatchObject({
      verdict,
      exitCode,
    });
  },
);

test("verdictOf() names the environment when nothing else failed", () => {
  expect(verdictOf("broken", [], { command: "ci", broken: lost }).message).toBe(
    "The API server is gone",
  );
});

test.each([
  ["Timeout", "failed", 1],
  ["Infra", "error", 3],
] as const)(
  "verdictOfError() judges a failed phase by its reason %s",
  (code, verdict, exitCode) => {
    const idle = new AbortController();
    expect(
      verdictOfError(new PhaseFailure({ code, message: "no" }), {
        broken: idle,
        cancelled: idle.signal,
      }),
    ).toMatchObject({ verdict, exitCode });
  },
);

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("cancelledBy() ends with the exit code of %s", (signal, exitCode) => {
  const verdict = { verdict: "cancelled", exitCode, message: `Cancelled by ${signal}` };
  expect(cancelledBy(signal)).toEqual(verdict);
  const cancelled = AbortSignal.abort(signal);
  expect(verdictOfError(new Error("no"), { broken: new AbortController(), cancelled })).toEqual(
    verdict,
  );
});
