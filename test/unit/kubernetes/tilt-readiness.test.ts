import { describe, expect, test } from "vitest";
import type { ContainerStatus, Pod } from "../../../src/kubernetes/api/api-object.ts";
import { judgeLikeTilt, podStatusText } from "../../../src/kubernetes/readiness/tilt.ts";
import {
  deployment,
  pod as podOf,
  recordingWatcher,
  replicaSet,
  runningStatus,
  startCluster,
  track,
  until,
} from "./cluster-fixture.ts";

function pod(status: Pod["status"], name = "p", age = 0): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      creationTimestamp: `2026-01-01T00:00:${String(30 - age).padStart(2, "0")}Z`,
    },
    spec: { containers: [{ name: "main" }] },
    ...(status === undefined ? {} : { status }),
  };
}

function container(state: ContainerStatus["state"], ready = false): ContainerStatus {
  return { name: "main", ready, restartCount: 0, ...(state === undefined ? {} : { state }) };
}

const waiting = (reason: string) => container({ waiting: { reason } });
const running = (ready: boolean) => container({ running: {} }, ready);
const ended = (exitCode: number, reason = "Error", message = "") =>
  container({ terminated: { exitCode, reason, ...(message === "" ? {} : { message }) } });

const judge = (
  pods: readonly Pod[],
  mode: "wait" | "ignore" | "succeeded" = "wait",
  applied: unknown[] = [],
) => judgeLikeTilt({ mode, pods, applied });

/** The rows of ci-engine.md §4 and §5. */
describe("judgeLikeTilt()", () => {
  test("takes whatever is ignored for ready, with or without pods", () => {
    expect(judge([], "ignore").state).toBe("ready");
    expect(judge([pod({ phase: "Failed" })], "ignore").state).toBe("ready");
  });

  test("takes a Job for done that was complete when it was applied", () => {
    const job = { kind: "Job", status: { conditions: [{ type: "Complete", status: "True" }] } };
    expect(judge([], "succeeded", [job]).state).toBe("ready");
  });

  test("waits for a pod", () => {
    expect(judge([])).toMatchObject({ state: "pending", summary: "waiting-for-pod" });
  });

  test("judges the newest pod alone", () => {
    const old = pod({ phase: "Running", containerStatuses: [running(false)] }, "old", 20);
    const young = pod({ phase: "Running", containerStatuses: [running(true)] }, "young", 1);
    expect(judge([young, old]).state).toBe("ready");
    const failedOld = pod({ phase: "Failed" }, "old", 20);
    expect(judge([failedOld, pod({ phase: "Succeeded" }, "young")], "succeeded").state).toBe(
      "ready",
    );
  });

  test("wants all app containers of a running pod ready", () => {
    const both = [running(true), running(false)];
    expect(judge([pod({ phase: "Running", containerStatuses: both })])).toMatchObject({
      state: "pending",
      active: true,
    });
  });

  test("does not take a running Job for done", () => {
    const ready = pod({ phase: "Running", containerStatuses: [running(true)] });
    expect(judge([ready], "succeeded")).toMatchObject({ state: "pending", active: true });
    expect(judge([pod({ phase: "Succeeded" })], "succeeded").state).toBe("ready");
  });

  test("never fails for a crash loop in a running pod", () => {
    const looping = pod({ phase: "Running", containerStatuses: [waiting("CrashLoopBackOff")] });
    expect(judge([looping])).toMatchObject({
      state: "pending",
      summary: "CrashLoopBackOff",
      active: true,
    });
    expect(judge([pod({ phase: "Running", containerStatuses: [ended(127)] })]).state).toBe(
      "pending",
    );
  });

  test.each([
    ["ErrImagePull", "ImagePull"],
    ["ImagePullBackOff", "ImagePull"],
    ["RunContainerError", "ContainerConfig"],
    ["StartError", "ContainerConfig"],
    ["Error", "CrashLoop"],
    ["CrashLoopBackOff", "CrashLoop"],
  ])("fails a pending pod with a container waiting for %s", (reason, code) => {
    const judgement = judge([pod({ phase: "Pending", containerStatuses: [waiting(reason)] })]);
    expect(judgement.state).toBe("failed");
    expect(judgement.failure?.code).toBe(code);
    expect(judgement.failure?.message).toBe(
      `Pod p in error state due to container main: ${reason}`,
    );
  });

  test.each([
    [ended(1), "InitFailed"],
    [waiting("CrashLoopBackOff"), "InitFailed"],
    [ended(137, "OOMKilled"), "OOMKilled"],
    [waiting("ImagePullBackOff"), "ImagePull"],
  ])("fails on an init container that cannot do its part: %j is %s", (status, code) => {
    const judgement = judge([pod({ phase: "Pending", initContainerStatuses: [status] })]);
    expect(judgement).toMatchObject({ state: "failed", failure: { code } });
  });

  test.each([
    "ContainerCreating",
    "CreateContainerConfigError",
    "CreateContainerError",
    "InvalidImageName",
    "ErrImageNeverPull",
  ])("waits with a container in %s", (reason) => {
    const judgement = judge([pod({ phase: "Pending", containerStatuses: [waiting(reason)] })]);
    expect(judgement).toMatchObject({ state: "pending", summary: reason });
  });

  test("tells a failed pod's last words", () => {
    expect(judge([pod({ phase: "Failed" })]).failure?.message).toBe('Pod "p" failed');
    const status = {
      phase: "Failed",
      containerStatuses: [ended(1, "Error", "one\n"), ended(2, "Error", "two")],
    };
    expect(judge([pod(status)]).failure?.message).toBe("one; two");
  });

  test.each([
    ["a Job's", "succeeded", { containerStatuses: [ended(1)] }, "JobFailed"],
    ["an evicted", "wait", { reason: "Evicted" }, "PodFailed"],
    ["a crashed", "wait", { containerStatuses: [ended(3)] }, "CrashLoop"],
    ["a killed", "wait", { containerStatuses: [ended(137, "OOMKilled")] }, "OOMKilled"],
  ] as const)("gives %s failed pod its code", (_, mode, status, code) => {
    expect(judge([pod({ phase: "Failed", ...status })], mode).failure?.code).toBe(code);
  });
});

describe("podStatusText()", () => {
  test.each([
    [{ phase: "Running", containerStatuses: [running(true)] }, "Running"],
    [{ phase: "Running", containerStatuses: [ended(0, "Completed"), running(true)] }, "Running"],
    [{ phase: "Failed", reason: "Evicted" }, "Evicted"],
    [{ phase: "Pending", initContainerStatuses: [ended(3)] }, "Init:Error"],
    [
      { phase: "Pending", initContainerStatuses: [waiting("CrashLoopBackOff")] },
      "Init:CrashLoopBackOff",
    ],
    [{ phase: "Succeeded", containerStatuses: [ended(0, "Completed")] }, "Completed"],
  ])("%j reads as kubectl shows it", (status, text) => {
    expect(podStatusText(pod(status))).toBe(text);
  });
});

describe("Watcher with Tilt's semantics", () => {
  test("is ready with the newest ReplicaSet's newest pod, whatever the rollout says", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection, { semantics: "tilt" });
    const web = server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    await until(
      "waiting",
      () => recording.watcher.observation("web")?.summary === "waiting-for-pod",
    );
    server.put(podOf(server.put(replicaSet(web, "a")), "x", runningStatus(true)));
    await until("ready", () => recording.watcher.observation("web")?.state === "ready");
  });

  test("remembers a finished pod that was deleted until it has a sibling", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection, { semantics: "tilt" });
    const job = server.put({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "j", namespace: "default" },
    });
    track(recording.watcher, "j", [job], { mode: "succeeded" });
    const done = server.put(podOf(job, "a", { phase: "Succeeded" }));
    await until("ready", () => recording.watcher.observation("j")?.state === "ready");
    server.remove(done);
    server.put(podOf(job, "b", { phase: "Pending" }));
    await until("the sibling", () => recording.watcher.observation("j")?.state === "pending");
  });

  test("drops pods of another template hash", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection, { semantics: "tilt" });
    const web = server.put({
      ...deployment("web"),
      spec: { template: { metadata: { labels: { "tilt.dev/pod-template-hash": "new" } } } },
    });
    const set = server.put(replicaSet(web, "a"));
    server.put(podOf(set, "x", runningStatus(true), { "tilt.dev/pod-template-hash": "old" }));
    track(recording.watcher, "web", [web]);
    await until("watches", () => server.watchCount === 4);
    expect(recording.watcher.observation("web")?.summary).toBe("waiting-for-pod");
    server.put(podOf(set, "y", runningStatus(true), { "tilt.dev/pod-template-hash": "new" }));
    await until("ready", () => recording.watcher.observation("web")?.state === "ready");
  });
});
