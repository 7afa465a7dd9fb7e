import { expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../../src/engine/index.ts";
import { effectivePolicy } from "../../../src/run/policy.ts";

const settings = (ci: { timeoutMs?: number; readinessTimeoutMs?: number }) => ({
  ci,
  update: {},
  allowedContexts: [],
  scrubSecrets: true,
});

test("effectivePolicy() lets ci_settings(timeout=) win over a default", () => {
  const { policy, notices } = effectivePolicy(
    { policy: DEFAULT_POLICY, timeoutGiven: false, readinessTimeoutGiven: false },
    settings({ timeoutMs: 60_000 }),
  );
  expect(policy.timeoutMs).toBe(60_000);
  expect(notices).toEqual([]);
});

test("effectivePolicy() lets a given --timeout win and says so", () => {
  const { policy, notices } = effectivePolicy(
    {
      policy: { ...DEFAULT_POLICY, timeoutMs: 5000 },
      timeoutGiven: true,
      readinessTimeoutGiven: false,
    },
    settings({ timeoutMs: 60_000 }),
  );
  expect(policy.timeoutMs).toBe(5000);
  expect(notices).toEqual(['--timeout 5s is in force, not ci_settings(timeout="1m0s")']);
});
