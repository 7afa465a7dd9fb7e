import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { LogCursor } from "../../../src/kubernetes/pods/log-cursor.ts";
import { linesOf } from "../../../src/kubernetes/watch/lines.ts";
import type { StoredObject } from "../../fake-api-server/object-table.ts";
import {
  deployment,
  pause,
  pod,
  recordingWatcher,
  replicaSet,
  runningStatus,
  startCluster,
  track,
  until,
} from "./cluster-fixture.ts";

const KEY = "default/web-a-x/main";

async function loggingPod(options: Parameters<typeof recordingWatcher>[1] = {}) {
  const cluster = await startCluster();
  const recording = recordingWatcher(cluster.connection, options);
  const web = cluster.server.put(deployment("web"));
  track(recording.watcher, "web", [web]);
  const set = cluster.server.put(replicaSet(web, "a"));
  const one = cluster.server.put(pod(set, "x", runningStatus(true)));
  const texts = () =>
    recording.lines.filter(({ container }) => container !== "").map(({ text }) => text);
  return {
    ...cluster,
    recording,
    one,
    texts,
    restart(server: typeof cluster.server, pod: StoredObject, restartCount: number) {
      const status = runningStatus(true, restartCount) as {
        containerStatuses: Record<string, unknown>[];
      };
      const terminated = {
        exitCode: 1,
        containerID: `containerd://main-${restartCount - 1}`,
        finishedAt: "2026-01-02T03:04:05Z",
      };
      const [container] = status.containerStatuses;
      server.patch(pod, {
        status: { containerStatuses: [{ ...container, lastState: { terminated } }] },
      });
    },
    async [Symbol.asyncDispose]() {
      recording.watcher.close();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

describe("pod logs", () => {
  test("bring every line from the container's start, with its time", async () => {
    await using run = await loggingPod();
    run.server.logs.append(KEY, "first", "2026-01-02T03:04:05.000000001Z");
    await until("a follower", () => run.texts().length === 1);
    run.server.logs.append(KEY, "second", "2026-01-02T03:04:06.500000000Z");
    await until("the second line", () => run.texts().length === 2);
    const lines = run.recording.lines.filter(({ container }) => container === "main");
    expect(lines[1]).toMatchObject({
      resource: "web",
      phase: "ready",
      source: "runtime",
      text: "second",
      pod: "web-a-x",
      at: Date.parse("2026-01-02T03:04:06.500Z"),
    });
  });

  test("lose and repeat nothing when connections break, even within one second", async () => {
    await using run = await loggingPod();
    const expected: string[] = [];
    for (let index = 0; index < 60; index++) {
      // Three lines each share a time stamp to the nanosecond.
      const nanos = String(Math.floor(index / 3)).padStart(9, "0");
      run.server.logs.append(KEY, `line ${index}`, `2026-01-02T03:04:05.${nanos}Z`);
      expected.push(`line ${index}`);
      if (index % 20 === 10) {
        await until("some lines", () => run.texts().length > 0);
        run.server.logs.breakFollowers();
        await pause(30);
      }
    }
    await until("all lines", () => run.texts().length >= expected.length);
    await pause(400);
    expect(run.texts()).toEqual(expected);
  });

  test("follow a container through a restart that happened unseen", async () => {
    await using run = await loggingPod();
    run.server.logs.append(KEY, "of the first", "2026-01-02T03:04:05.000000000Z");
    await until("the first", () => run.texts().length === 1);
    run.server.logs.breakFollowers();
    run.server.logs.append(KEY, "last words of the first", "2026-01-02T03:04:05.100000000Z");
    run.server.logs.restart(KEY);
    run.server.logs.append(KEY, "of the second", "2026-01-02T03:04:07.000000000Z");
    run.restart(run.server, run.one, 1);
    await until("all", () => run.texts().length >= 3);
    await pause(300);
    expect(run.texts()).toEqual(["of the first", "last words of the first", "of the second"]);
    expect(run.recording.restarts).toHaveLength(1);
  });

  test("find what a container wrote last though the next one's lines came first", async () => {
    await using run = await loggingPod();
    run.server.logs.append(KEY, "of the first", "2026-01-02T03:04:05.000000000Z");
    await until("the first", () => run.texts().length === 1);
    run.server.logs.breakFollowers();
    run.server.logs.append(KEY, "last words of the first", "2026-01-02T03:04:05.100000000Z");
    run.server.logs.restart(KEY);
    run.server.logs.append(KEY, "of the second", "2026-01-02T03:04:07.000000000Z");
    await until("the next one's", () => run.texts().length === 2);
    run.restart(run.server, run.one, 1);
    await until("all", () => run.texts().length >= 3);
    run.server.logs.append(KEY, "more of the second", "2026-01-02T03:04:08.000000000Z");
    await until("the rest", () => run.texts().length >= 4);
    await pause(300);
    expect(run.texts()).toEqual([
      "of the first",
      "of the second",
      "last words of the first",
      "more of the second",
    ]);
  });

  test("are all there after flush(), though they were written just before", async () => {
    await using run = await loggingPod();
    await until("a follower", () => run.server.requests.some(({ path }) => path.endsWith("/log")));
    for (let index = 0; index < 5_000; index++) run.server.logs.append(KEY, `line ${index}`);
    await run.recording.watcher.flush(3_000, 150);
    expect(run.texts()).toHaveLength(5_000);
  });

  test("hold a container back whose lines are taken slowly, without losing any", async () => {
    let taken = 0;
    let waiting = 0;
    let most = 0;
    await using run = await loggingPod({
      onLog: async ({ container }) => {
        if (container === "") return;
        waiting += 1;
        most = Math.max(most, waiting);
        if (taken++ % 500 === 0) await pause(5);
        waiting -= 1;
      },
    });
    for (let index = 0; index < 10_000; index++) run.server.logs.append(KEY, "x".repeat(100));
    await until("all", () => taken === 10_000, 20_000);
    expect(most).toBe(1);
  });

  test("name the container where a pod has several, and leave out service meshes", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection);
    const { server } = cluster;
    const web = server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    const status = (name: string) => ({
      name,
      ready: true,
      restartCount: 0,
      containerID: `containerd://${name}`,
      state: { running: {} },
    });
    const one = pod(server.put(replicaSet(web, "a")), "x", {
      phase: "Running",
      containerStatuses: [status("main"), status("side"), status("istio-proxy")],
    });
    server.put({
      ...one,
      spec: { containers: [{ name: "main" }, { name: "side" }, { name: "istio-proxy" }] },
    });
    server.logs.append("default/web-a-x/side", "hello");
    server.logs.append("default/web-a-x/istio-proxy", "noise");
    await until("a line", () => recording.lines.some(({ text }) => text === "[side] hello"));
    await recording.watcher.flush(1_000, 150);
    expect(recording.lines.some(({ text }) => text.includes("noise"))).toBe(false);
  });

  test("begin with the steps of the rollout", async () => {
    await using run = await loggingPod();
    await until("steps", () => run.recording.lines.length >= 4);
    expect(run.recording.lines.slice(0, 4).map(({ text }) => text)).toEqual([
      "Tracking new pod rollout (web-a-x):",
      "     ┊ Scheduled       - <1s",
      "     ┊ Initialized     - <1s",
      "     ┊ Ready           - <1s",
    ]);
  });
});

describe("LogCursor", () => {
  test("take() passes on the rest of a line that came in pieces, unless it is known", () => {
    const cursor = new LogCursor(undefined);
    expect(cursor.take("2026-01-02T03:04:05.000000001Z one")?.text).toBe("one");
    expect(cursor.take("and more")?.text).toBe("and more");
    cursor.reopen();
    expect(cursor.take("2026-01-02T03:04:05.000000001Z one")).toBeUndefined();
    expect(cursor.take("and more")).toBeUndefined();
    expect(cursor.take("2026-01-02T03:04:05.000000001Z two")?.text).toBe("two");
    expect(cursor.sinceTime).toBe("2026-01-02T03:04:05Z");
  });
});

describe("linesOf()", () => {
  test("joins what was cut apart, also within a character", async () => {
    const bytes = Buffer.from("eins\nzwöi\n\ndrei");
    const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
    const lines: string[] = [];
    for await (const group of linesOf(Readable.from(chunks))) lines.push(...group);
    expect(lines).toEqual(["eins", "zwöi", "", "drei"]);
  });

  test("cuts a line that has no end", async () => {
    const chunks = Array.from({ length: 5 }, () => Buffer.alloc(10, "x"));
    const lines: string[] = [];
    for await (const group of linesOf(Readable.from(chunks), 20)) lines.push(...group);
    expect(lines.map(({ length }) => length)).toEqual([20, 20, 10]);
  });
});
