import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Breakage, type BrokenRun, breakEnvironment } from "../chaos/broken-environment.ts";
import { clusterAvailable } from "../rig/env.ts";

/** What a run makes of the rest that its environment leaves it: green when all is ready in the end, else exit 3 and why. */
type Wanted = "green" | RegExp;

function expectEnd(run: BrokenRun, wanted: Wanted): void {
  const { code, output, report, leftovers } = run;
  const verdict = report?.verdict;
  if (wanted === "green")
    expect({ code, verdict, output: code === 0 ? "" : output }).toEqual({
      code: 0,
      verdict: "passed",
      output: "",
    });
  else {
    expect({ code, verdict, output: code === 3 ? "" : output }).toEqual({
      code: 3,
      verdict: "error",
      output: "",
    });
    expect(report?.message).toMatch(wanted);
    expect(report?.exitCode).toBe(3);
  }
  expect(leftovers).toEqual([]);
}

const restart =
  (secs: number): Breakage["act"] =>
  async ({ docker, registry }) => {
    await docker("kill", registry);
    await delay(secs * 1000);
    await docker("start", registry);
  };
const stopRegistry: Breakage["act"] = ({ docker, registry }) => docker("kill", registry);
const killApiServer: Breakage["act"] = ({ inNode }) => inNode("pkill", "-KILL", "kube-apiserver");
const removeApiServer: Breakage["act"] = async ({ inNode }) => {
  await inNode("mv", "/etc/kubernetes/manifests/kube-apiserver.yaml", "/root/");
  await inNode("pkill", "-KILL", "kube-apiserver");
};
const cut =
  (secs: number): Breakage["act"] =>
  async ({ engine }) => {
    await engine.cut();
    await delay(secs * 1000);
    await engine.restore();
  };

/** Readiness is awaited, and nothing else: kind, which needs node and engine, has ended. */
const WAITING = ["phase-started:ready", "phase-finished:create"];
const LARGE = { megabytes: 40 };
const ENGINE_GONE = /Docker daemon|docker\.sock|container engine/;

const CASES: readonly (readonly [string, Wanted, Breakage])[] = [
  [
    "the registry is away for 4 s during a push",
    "green",
    { at: "phase-started:push", act: restart(4), ...LARGE },
  ],
  [
    "the registry is gone during a push",
    /push.*(refused|ECONNRESET|hang up|broken pipe)/i,
    { at: "phase-started:push", act: stopRegistry, ...LARGE },
  ],
  [
    "the registry is gone once nobody needs it",
    "green",
    {
      at: WAITING,
      act: async (ground) => {
        await delay(5000);
        await stopRegistry(ground);
      },
      readySecs: 12,
    },
  ],
  [
    "the registry is away for 6 s when the node pulls",
    "green",
    { at: "phase-finished:push", act: restart(6), pullsAlways: true, readySecs: 1 },
  ],
  [
    "the registry is gone when the node pulls",
    /cannot pull image/,
    { at: "phase-finished:push", act: stopRegistry, pullsAlways: true, readySecs: 1 },
  ],
  [
    "the API server is killed while readiness is awaited",
    "green",
    { at: WAITING, act: killApiServer },
  ],
  [
    "the API server is killed while objects are applied",
    "green",
    { at: "reached:api", act: killApiServer },
  ],
  [
    "the API server does not come back",
    /API server \S+ stopped answering since/,
    { at: WAITING, act: removeApiServer, readySecs: 60 },
  ],
  [
    "the node stands still for 8 s",
    "green",
    {
      at: WAITING,
      act: async ({ docker, node }) => {
        await docker("pause", node);
        await delay(8000);
        await docker("unpause", node);
      },
    },
  ],
  [
    "the node stands still for good",
    /API server \S+ stopped answering since/,
    { at: WAITING, act: ({ docker, node }) => docker("pause", node), readySecs: 60 },
  ],
  [
    "the node is stopped",
    /API server \S+ stopped answering since/,
    { at: WAITING, act: ({ docker, node }) => docker("kill", node), readySecs: 60 },
  ],
  [
    "the node's containerd is restarted",
    "green",
    {
      at: WAITING,
      act: ({ inNode }) => inNode("systemctl", "restart", "containerd"),
    },
  ],
  [
    "the node's containerd is gone",
    /Node \S+ is not ready: .*(runtime|kubelet)/i,
    {
      at: WAITING,
      // Once the pod is on the node.
      act: async ({ inNode }) => {
        await delay(10_000);
        await inNode("systemctl", "stop", "containerd");
      },
      readySecs: 40,
    },
  ],
  [
    "the engine is away for 2 s while it makes the cluster",
    ENGINE_GONE,
    { at: "phase-started:build", act: cut(2), buildSecs: 4 },
  ],
  [
    "the engine is gone during a build",
    ENGINE_GONE,
    { at: "phase-started:build", act: ({ engine }) => engine.cut(), buildSecs: 4 },
  ],
  [
    "the node is stopped while kubeadm is at work",
    /its node \S+ stopped: Exited \(137\)/,
    { at: "reached:api", act: ({ docker, node }) => docker("kill", node) },
  ],
  ["the engine is gone while readiness is awaited", "green", { at: WAITING, act: cut(3) }],
];

describe.skipIf(!clusterAvailable())("a run whose environment breaks", () => {
  test.each(CASES)("%s: %s", async (_name, wanted, breakage) => {
    expectEnd(await breakEnvironment(breakage), wanted);
  });

  test("an engine that answers nothing any more ends the run within its time, and its removal within minutes", async () => {
    const run = await breakEnvironment({
      at: "phase-started:build",
      act: async ({ engine }) => engine.freeze(),
      buildSecs: 4,
      args: ["--timeout", "40s"],
    });
    expect(run.code).not.toBe(0);
    expect(run.report?.verdict).not.toBe("passed");
    expect(run.durationMs).toBeLessThan(240_000);
    expect(run.down).toBe(0);
    expect(run.leftovers).toEqual([]);
  });
});
