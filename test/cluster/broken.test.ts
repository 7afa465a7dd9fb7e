import { describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { runBrokenStack } from "./broken-stacks.ts";
import { SHARED } from "./tilt-ci.ts";

/* A dozen of the broken stacks, one of each kind; test/full/broken.test.ts runs them all. */

const ON_CLUSTER = [
  "crash-on-start",
  "crash-after-peer",
  "missing-secret",
  "blocked-chain",
  "failing-init-container",
  "build-error",
  "invalid-field",
  "pvc-pending",
  "crd-not-established",
];
const LOCAL = ["failing-command", "server-dies", "dependency-never-starts", "cancelled"];

describe.skipIf(!clusterAvailable())("a broken stack", () => {
  test.each(ON_CLUSTER)("%s: its first cause is found, and all reports agree", async (name) => {
    expect((await runBrokenStack(name, SHARED)).differences).toEqual([]);
  });
});

describe("broken stacks without a cluster", () => {
  test("their first causes are found, and all reports agree", async () => {
    const runs = await Promise.all(LOCAL.map((name) => runBrokenStack(name, [])));
    expect(runs.flatMap(({ differences }) => differences)).toEqual([]);
  });
});
