import { describe, expect, test } from "vitest";
import type { ApiObject, ClusterEvent } from "../../../src/kubernetes/api/api-object.ts";
import type { Evidence } from "../../../src/kubernetes/readiness/judgement.ts";
import { judgeRefused } from "../../../src/kubernetes/readiness/replicas.ts";

const daemonSet = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "agent", namespace: "strict", uid: "u" },
} as unknown as ApiObject;

function judge(message: string, more: Partial<Evidence> = {}) {
  const event = {
    reason: "FailedCreate",
    message,
    involvedObject: { uid: "u" },
    lastTimestamp: "2026-01-01T00:00:00Z",
  } as unknown as ClusterEvent;
  return judgeRefused(daemonSet, "0 of 1 ready", {
    eventsOf: () => [event],
    eventsAbout: () => [],
    nodes: () => undefined,
    staticNodes: true,
    nobodyElse: true,
    capacityMayFree: () => false,
    mayStillAppear: () => false,
    exists: () => false,
    endsBefore: () => 0,
    ...more,
  });
}

const violation = (pod: string) =>
  `Error creating: pods "agent-${pod}" is forbidden: violates PodSecurity "restricted:latest": privileged`;
const noService =
  'Error creating: Internal error occurred: failed calling webhook "inject.example.com": failed to call webhook: Post "https://injector.hooks.svc:443/inject?timeout=1s": service "injector" not found';

describe("judgeRefused()", () => {
  test("tells what the API server refuses, and for how long it may go on doing so", () => {
    expect(judge(violation("abcde"))).toMatchObject({
      state: "pending",
      failure: {
        code: "ApplyRejected",
        message: `DaemonSet/strict/agent cannot create pods: ${violation("abcde")}`,
      },
      standing: { becomes: "failed" },
    });
  });

  test("takes the same refusal of the next pod, with another name, for the same", () => {
    expect(judge(violation("abcde"))?.standing?.key).toBe(judge(violation("fghij"))?.standing?.key);
  });

  test("gives up a webhook whose Service is nowhere, where nobody else makes one", () => {
    expect(judge(noService)).toMatchObject({
      failure: { code: "ApplyRejected" },
      standing: { key: "missing u Service injector", becomes: "failed" },
    });
  });

  test.each<[string, Partial<Evidence>]>([
    ["is there now", { exists: (...ref) => ref.join("/") === "Service/hooks/injector" }],
    [
      "is still to be applied",
      { mayStillAppear: (...ref) => ref.join("/") === "Service/hooks/injector" },
    ],
    ["may be somebody else's", { nobodyElse: false }],
  ])("waits for a webhook whose Service %s", (_when, more) => {
    expect(judge(noService, more)).toMatchObject({ state: "pending" });
    expect(judge(noService, more)?.standing).toBeUndefined();
  });
});
