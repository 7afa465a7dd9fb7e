import { describe, expect, test } from "vitest";
import { waitForApiServer } from "../../../src/kubernetes/connection.ts";
import {
  deployment,
  pause,
  ROLLED_OUT,
  recordingWatcher,
  startCluster,
  track,
  until,
} from "./cluster-fixture.ts";

/** Whatever the server does, what it says in the end is what is told, and nothing is told that was not so. */
describe.concurrent("Watcher on a server that misbehaves", () => {
  const UNREADY = { status: { ...ROLLED_OUT.status, availableReplicas: 0 } };

  async function watched() {
    const cluster = await startCluster({ lostAfterMs: 1_500, silenceMs: 600 });
    const recording = recordingWatcher(cluster.connection);
    const web = cluster.server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    await until("watches", () => cluster.server.watchCount === 4);
    return {
      ...cluster,
      recording,
      web,
      state: () => recording.watcher.observation("web")?.state,
      async [Symbol.asyncDispose]() {
        recording.watcher.close();
        await cluster[Symbol.asyncDispose]();
      },
    };
  }

  test("lists again when its version is gone (410)", async () => {
    await using run = await watched();
    run.server.breakWatches();
    run.server.patch(run.web, ROLLED_OUT);
    run.server.table.compact();
    await until("ready", () => run.state() === "ready");
  });

  test("goes on where a broken watch ended, without listing", async () => {
    await using run = await watched();
    const before = run.server.requests.length;
    run.server.breakWatches();
    run.server.patch(run.web, ROLLED_OUT);
    await until("ready", () => run.state() === "ready");
    const lists = run.server.requests
      .slice(before)
      .filter(({ query, path }) => query.watch !== "true" && path !== "/readyz");
    expect(lists).toEqual([]);
  });

  test("sees an object vanish between two lists", async () => {
    await using run = await watched();
    run.server.breakWatches();
    run.server.remove(run.web);
    run.server.table.compact();
    await until("deleted", () => run.recording.watcher.observation("web")?.summary === "Deleted");
  });

  test.each([429, 500, 503])("outlasts a burst of %d", async (code) => {
    await using run = await watched();
    run.server.refuse = () => ({ code, message: "too busy", reason: "InternalError" });
    run.server.breakWatches();
    run.server.patch(run.web, ROLLED_OUT);
    await pause(800);
    expect(run.state()).toBe("pending");
    run.server.refuse = () => undefined;
    await until("ready", () => run.state() === "ready");
    expect(run.recording.lost).toEqual([]);
  });

  test("outlasts a restart that is shorter than its patience", async () => {
    await using run = await watched();
    await run.server.down();
    await pause(700);
    run.server.patch(run.web, ROLLED_OUT);
    await run.server.up();
    await until("ready", () => run.state() === "ready");
    expect(run.recording.lost).toEqual([]);
    expect(run.recording.states("web")).toEqual(["pending", "ready"]);
  });

  test("says that the server is lost when it does not come back, and since when", async () => {
    await using run = await watched();
    await run.server.down();
    await until("lost", () => run.recording.lost.length > 0);
    expect(run.recording.lost[0]?.message).toMatch(
      /^API server http:\/\/127\.0\.0\.1:\d+ stopped answering since \d\d:\d\d:\d\d UTC: .*ECONNREFUSED/,
    );
    expect(run.connection.health.lost).toBeDefined();
    await run.server.up();
    await until("recovery", () => run.connection.health.lost === undefined);
  });

  test("finds out that a server hangs though no connection breaks", async () => {
    await using run = await watched();
    run.server.hanging = true;
    run.server.frozen = true;
    await until("lost", () => run.recording.lost.length > 0, 20_000);
    run.server.hanging = false;
    run.server.frozen = false;
    run.server.patch(run.web, ROLLED_OUT);
    await until("ready", () => run.state() === "ready");
  });

  test("opens new watches after a silence in which the server did not answer", async () => {
    await using run = await watched();
    run.server.frozen = true;
    run.server.patch(run.web, UNREADY);
    run.server.patch(run.web, ROLLED_OUT);
    run.server.hanging = true;
    await pause(1_000);
    run.server.hanging = false;
    run.server.frozen = false;
    // The old connections never brought what was written meanwhile.
    await until("ready", () => run.state() === "ready", 15_000);
  });

  test("gives up with the reason when pods may not be watched", async () => {
    await using cluster = await startCluster();
    cluster.server.refuse = ({ path }) =>
      path.endsWith("/pods")
        ? { code: 403, reason: "Forbidden", message: "pods is forbidden" }
        : undefined;
    using recording = recordingWatcher(cluster.connection);
    track(recording.watcher, "web", [cluster.server.put(deployment("web"))]);
    await until("lost", () => recording.lost.length === 1, 20_000);
    expect(recording.lost[0]?.message).toBe(
      'Cannot watch objects of kind Pod in namespace "default": pods is forbidden',
    );
  });

  test("gives up with the reason when pods cannot be watched for long, though the server answers", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection, { blindAfterMs: 700 });
    track(recording.watcher, "web", [cluster.server.put(deployment("web"))]);
    await until("watches", () => cluster.server.watchCount === 4);
    cluster.server.refuse = ({ path }) =>
      /\/(pods|events)$/.test(path) ? { code: 500, message: "etcdserver: no leader" } : undefined;
    cluster.server.breakWatches();
    await until("lost", () => recording.lost.length > 0);
    expect(recording.lost[0]?.message).toMatch(
      /^Cannot watch objects of kind Pod in namespace "default" since \d\d:\d\d:\d\d UTC: etcdserver: no leader$/,
    );
  });

  describe.concurrent("confirm()", () => {
    const lists = (server: { requests: readonly { path: string; query: object }[] }) =>
      server.requests
        .filter(({ path, query }) => path !== "/readyz" && !("watch" in query))
        .map(({ path }) => path.replace(/.*\//, ""));

    test("asks nothing when every watch has just brought something", async () => {
      await using run = await watched();
      expect(run.recording.watcher.confirm()).toBeUndefined();
    });

    test("lists what has been silent, and only what a verdict needs", async () => {
      await using run = await watched();
      await pause(1_100);
      const before = run.server.requests.length;
      run.server.patch(run.web, ROLLED_OUT);
      await until("ready", () => run.state() === "ready");
      await run.recording.watcher.confirm();
      const asked = lists({ requests: run.server.requests.slice(before) });
      expect(asked.toSorted()).toEqual(["pods", "replicasets"]);
      expect(run.recording.watcher.confirm()).toBeUndefined();
    });

    test("has observed by its end what half-open watches hid", async () => {
      await using run = await watched();
      run.server.patch(run.web, ROLLED_OUT);
      await until("ready", () => run.state() === "ready");
      run.server.abandonWatches();
      run.server.patch(run.web, UNREADY);
      await pause(1_100);
      expect(run.state()).toBe("ready");
      await run.recording.watcher.confirm();
      expect(run.state()).toBe("pending");
    });

    test("has watches go on from there", async () => {
      await using run = await watched();
      run.server.abandonWatches();
      await pause(1_100);
      await run.recording.watcher.confirm();
      run.server.patch(run.web, ROLLED_OUT);
      await until("ready", () => run.state() === "ready");
    });

    test("ends with the watcher", async () => {
      await using run = await watched();
      run.server.hanging = true;
      run.server.frozen = true;
      await pause(1_100);
      const confirmed = run.recording.watcher.confirm();
      expect(confirmed).toBeDefined();
      run.recording.watcher.close();
      await confirmed;
    });
  });

  test("outlasts a server that has not read our rights yet", async () => {
    await using run = await watched();
    const message = 'pods is forbidden: User "admin" cannot watch resource "pods"';
    run.server.refuse = () => ({ code: 403, reason: "Forbidden", message });
    run.server.breakWatches();
    run.server.patch(run.web, ROLLED_OUT);
    await pause(1_000);
    run.server.refuse = () => undefined;
    await until("ready", () => run.state() === "ready");
    expect(run.recording.lost).toEqual([]);
  });

  test("does without events when they may not be watched", async () => {
    await using cluster = await startCluster();
    cluster.server.refuse = ({ path }) =>
      path.endsWith("/events") ? { code: 403, reason: "Forbidden", message: "no" } : undefined;
    using recording = recordingWatcher(cluster.connection);
    const web = cluster.server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    cluster.server.patch(web, ROLLED_OUT);
    await until("ready", () => recording.watcher.observation("web")?.state === "ready");
    expect(recording.lost).toEqual([]);
  });
});

describe("waitForApiServer()", () => {
  test("resolves within a moment of the server being ready", async () => {
    await using cluster = await startCluster();
    cluster.server.refuse = () => ({ code: 500, message: "not ready" });
    await cluster.server.down();
    const waiting = waitForApiServer(cluster.connection, {
      signal: new AbortController().signal,
      fresh: true,
    }).then(() => performance.now());
    await pause(300);
    await cluster.server.up();
    await pause(300);
    cluster.server.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } });
    cluster.server.refuse = () => undefined;
    const readyAt = performance.now();
    expect((await waiting) - readyAt).toBeLessThan(300);
    expect(cluster.connection.health.lost).toBeUndefined();
  });

  test("ends with the signal", async () => {
    await using cluster = await startCluster();
    await cluster.server.down();
    const cancel = new AbortController();
    const waiting = waitForApiServer(cluster.connection, { signal: cancel.signal, fresh: true });
    setTimeout(() => cancel.abort(), 50);
    await expect(waiting).rejects.toThrow("cancelled");
  });

  test("says at once that credentials are no good", async () => {
    await using cluster = await startCluster();
    cluster.server.refuse = () => ({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
    const waiting = waitForApiServer(cluster.connection, { signal: new AbortController().signal });
    await expect(waiting).rejects.toThrow(/Cannot use context "fake": .*: Unauthorized/);
  });
});
