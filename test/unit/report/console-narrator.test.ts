import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/model/event.ts";
import { narrate, newNarrator } from "../../../src/report/console-narrator.ts";

/** What a run says of some events. */
function said(events: readonly RunEvent[]): string[] {
  const state = newNarrator();
  return events.flatMap((event) => narrate(event, state).map(({ text }) => text));
}

const webhook = (attempt: number, object = "Pod/default/x"): RunEvent => ({
  ...{ type: "phase-retried", at: attempt, resource: "x", phase: "deploy", attempt },
  failure: {
    code: "Infra",
    object,
    message: `${object}: failed calling webhook: dial tcp 10.96.3.4:443: connection refused (try ${attempt})`,
  },
});
const deployed: RunEvent = {
  ...{ type: "phase-finished", at: 9, resource: "x", phase: "deploy", attempt: 1 },
  status: "passed",
};

describe("narrate() of attempts that failed", () => {
  test("tells a reason once, and at the end how often it was met", () => {
    expect(said([webhook(1), webhook(2), webhook(3), deployed])).toEqual([
      expect.stringMatching(
        /^WARNING: deploy: attempt 1 failed: .*refused \(try 1\).*trying again$/,
      ),
      "WARNING: deploy: 3 attempts failed in all",
    ]);
  });

  test("tells each reason and each object, and needs no sum then", () => {
    expect(said([webhook(1), webhook(1, "Pod/default/y"), deployed])).toEqual([
      expect.stringContaining("Pod/default/x"),
      expect.stringContaining("Pod/default/y"),
    ]);
  });
});

describe("narrate() of a teardown", () => {
  const started: RunEvent = {
    ...{ type: "phase-started", at: 1, resource: "(cluster)", phase: "teardown", attempt: 1 },
  };
  const finished: RunEvent = {
    ...{ type: "phase-finished", at: 1001, resource: "(cluster)", phase: "teardown", attempt: 1 },
    status: "passed",
  };
  const cluster = (facts: object): RunEvent => ({ type: "cluster", at: 0, cluster: facts });

  test("tells of a cluster that is gone", () => {
    expect(said([cluster({ name: "tci-a" }), started, finished])).toEqual([
      "teardown passed after 1.0s",
    ]);
  });

  test.each([
    ["there was none to remove", []],
    ["it was there before", [cluster({ context: "kind-dev" })]],
    ["it stays", [cluster({ name: "tci-a" }), cluster({ stays: true })]],
  ])("says nothing when %s", (_when, events) => {
    expect(said([...events, started, finished])).toEqual([]);
  });
});
