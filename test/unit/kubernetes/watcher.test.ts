import { describe, expect, test } from "vitest";
import type { StoredObject } from "../../fake-api-server/object-table.ts";
import {
  deployment,
  pause,
  pod,
  ROLLED_OUT,
  recordingWatcher,
  replicaSet,
  runningStatus,
  startCluster,
  track,
  until,
} from "./cluster-fixture.ts";

describe("Watcher", () => {
  test("tells ready once the controller says that the rollout is complete", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection);
    const web = cluster.server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    await until("the first observation", () => recording.observations.length > 0);
    expect(recording.watcher.observation("web")?.state).toBe("pending");
    await until("a watch", () => cluster.server.watchCount >= 3);
    cluster.server.patch(web, ROLLED_OUT);
    await until("ready", () => recording.watcher.observation("web")?.state === "ready");
    expect(recording.states("web")).toEqual(["pending", "ready"]);
  });

  test("keeps one watch a kind and namespace however many resources there are", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection);
    for (let index = 0; index < 40; index++) {
      const one = cluster.server.put(deployment(`web-${index}`));
      track(recording.watcher, `web-${index}`, [one]);
    }
    await until("watches", () => cluster.server.watchCount === 4);
    await pause(100);
    const watches = cluster.server.requests.filter(({ query }) => query.watch === "true");
    expect(watches.map(({ path }) => path).toSorted()).toEqual([
      "/api/v1/namespaces/default/events",
      "/api/v1/namespaces/default/pods",
      "/apis/apps/v1/namespaces/default/deployments",
      "/apis/apps/v1/namespaces/default/replicasets",
    ]);
  });

  test("never polls: an idle second brings no request", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection);
    track(recording.watcher, "web", [cluster.server.put(deployment("web"))]);
    await until("watches", () => cluster.server.watchCount === 4);
    await pause(50);
    const before = cluster.server.requests.length;
    await pause(1_000);
    expect(cluster.server.requests.slice(before)).toEqual([]);
    expect(recording.lost).toEqual([]);
  });

  test("tells the failure of a pod below a ReplicaSet, and its crashes", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection);
    const { server } = cluster;
    const web = server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    server.patch(web, { status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1 } });
    const set = server.put(replicaSet(web, "a"));
    const end = { exitCode: 3, reason: "Error", containerID: "containerd://main-0" };
    const one = server.put(pod(set, "x", runningStatus(false)));
    server.patch(one, {
      status: {
        containerStatuses: [
          {
            name: "main",
            ready: false,
            restartCount: 2,
            containerID: "containerd://main-0",
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: end },
          },
        ],
      },
    });
    await until("crashing", () => recording.watcher.observation("web")?.state === "crashing");
    const observation = recording.watcher.observation("web")!;
    expect(observation.crashes).toBe(3);
    expect(observation.failure).toMatchObject({
      code: "CrashLoop",
      message: 'Pod default/web-a-x: container "main" crashed 3 times, last with exit code 3',
    });
    expect(recording.restarts).toEqual([
      { resource: "web", pod: "web-a-x", container: "main", restarts: 2 },
    ]);
  });

  test.each([-3_600_000, 3_600_000])(
    "counts crashes and brings logs when the cluster's clock is %d ms off",
    async (offMs) => {
      await using cluster = await startCluster();
      const { server } = cluster;
      server.table.clockOffsetMs = offMs;
      // whoever has applied something has heard from the server
      await cluster.connection.transport.request({ path: "/readyz" });
      using recording = recordingWatcher(cluster.connection);
      const web = server.put(deployment("web"));
      server.patch(web, { status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1 } });
      const set = server.put(replicaSet(web, "a"));
      server.put(pod(set, "x", { phase: "Running", ...crashLoop() }));
      const stamp = new Date(Date.now() + offMs).toISOString().replace("Z", "000000Z");
      server.logs.append("default/web-a-x/main", "out of memory", stamp);
      track(recording.watcher, "web", [server.get(web)!]);
      await until("crashing", () => recording.watcher.observation("web")?.state === "crashing");
      expect(recording.watcher.observation("web")?.crashes).toBe(10);
      await until("its log", () => recording.lines.some(({ text }) => text === "out of memory"));
    },
  );

  test("counts no pod of an earlier deploy", async () => {
    await using cluster = await startCluster();
    using recording = recordingWatcher(cluster.connection);
    const { server } = cluster;
    const web = server.put(deployment("web"));
    const before = server.put(replicaSet(web, "old", 1));
    server.put(pod(before, "x", { phase: "Running", ...crashLoop() }));
    server.patch(web, { status: { observedGeneration: 1, replicas: 2, updatedReplicas: 1 } });
    const now = server.put(replicaSet(web, "new", 2));
    server.put(pod(now, "y", runningStatus(false)));
    track(recording.watcher, "web", [server.get(web)!]);
    await until("the new pod", () =>
      recording.watcher.observation("web")?.pods.some(({ name }) => name === "web-new-y"),
    );
    const observation = recording.watcher.observation("web")!;
    expect(observation.state).toBe("pending");
    expect(observation.crashes).toBe(0);
    expect(observation.pods.map(({ name }) => name)).toEqual(["web-new-y"]);
  });

  test("finds pods of an operator through owners that nobody applied", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    server.put({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "databases.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { kind: "Database", plural: "databases" },
        versions: [{ name: "v1" }],
      },
      status: { conditions: [{ type: "Established", status: "True" }] },
    });
    using recording = recordingWatcher(cluster.connection);
    const database = server.put({
      apiVersion: "example.com/v1",
      kind: "Database",
      metadata: { name: "main", namespace: "default" },
      status: {},
    });
    const set = server.put({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: {
        name: "main-set",
        namespace: "default",
        ownerReferences: [ownerOf(database)],
      },
    });
    track(recording.watcher, "db", [database]);
    server.put(pod(set, "0", runningStatus(false)));
    await until("its pod", () => recording.watcher.observation("db")?.pods.length === 1);
    expect(recording.watcher.observation("db")?.state).toBe("pending");
    server.patch(pod(set, "0"), { status: runningStatus(true) });
    await until("ready", () => recording.watcher.observation("db")?.state === "ready");
  });

  test("judges pods that only a selector finds", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection);
    const config = server.put({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "default" },
    });
    track(recording.watcher, "op", [config], { extraPodSelectors: [{ app: "x" }] });
    await until("pending", () => recording.watcher.observation("op")?.state === "pending");
    server.put(pod(config, "1", runningStatus(true), { app: "x" }));
    await until("ready", () => recording.watcher.observation("op")?.state === "ready");
  });

  test("remembers that a Job had completed when it is deleted", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection);
    const job = server.put({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "migrate", namespace: "default" },
      spec: { ttlSecondsAfterFinished: 0 },
    });
    track(recording.watcher, "migrate", [job], { mode: "succeeded" });
    await until("watches", () => cluster.server.watchCount >= 3);
    server.patch(job, {
      status: { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] },
    });
    server.remove(job);
    await until("ready", () => recording.watcher.observation("migrate")?.state === "ready");
    await pause(100);
    expect(recording.watcher.observation("migrate")?.state).toBe("ready");
  });

  test("fails a resource whose object somebody deletes, not one that is made anew", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection);
    const gone = server.put(deployment("gone"));
    const back = server.put(deployment("back"));
    track(recording.watcher, "gone", [gone]);
    track(recording.watcher, "back", [back]);
    await until("watches", () => cluster.server.watchCount === 4);
    server.remove(gone);
    server.remove(back);
    server.patch(server.put(deployment("back")), ROLLED_OUT);
    await until("failed", () => recording.watcher.observation("gone")?.state === "failed");
    expect(recording.watcher.observation("gone")?.failure?.message).toBe(
      "Deployment/default/gone was deleted by someone else after it was applied",
    );
    expect(recording.watcher.observation("back")?.state).toBe("ready");
  });

  test("lets a missing Secret be while something of the run may still make it", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    let coming = true;
    using recording = recordingWatcher(cluster.connection, { mayStillAppear: () => coming });
    const web = server.put(deployment("web"));
    track(recording.watcher, "web", [web]);
    server.patch(web, { status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1 } });
    const status = {
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "True" }],
      containerStatuses: [
        {
          name: "main",
          ready: false,
          restartCount: 0,
          state: {
            waiting: { reason: "CreateContainerConfigError", message: 'secret "db" not found' },
          },
        },
      ],
    };
    server.put(pod(server.put(replicaSet(web, "a")), "x", status));
    await until("the reason", () => recording.watcher.observation("web")?.failure !== undefined);
    expect(recording.watcher.observation("web")).toMatchObject({
      state: "pending",
      failure: { code: "ContainerConfig" },
    });
    coming = false;
    await until("failed", () => recording.watcher.observation("web")?.state === "failed", 12_000);
    expect(recording.watcher.observation("web")?.failure?.message).toContain(
      'secret "db" not found',
    );
  });

  test("passes on events about its objects and pods, each count once, none from before", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    using recording = recordingWatcher(cluster.connection);
    const web = server.put(deployment("web"));
    const event = (name: string, count: number, at: Date, type = "Warning") => ({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: "default" },
      involvedObject: {
        kind: "Deployment",
        name: "web",
        namespace: "default",
        uid: web.metadata.uid,
      },
      reason: "BackOff",
      message: `said ${count}`,
      type,
      count,
      lastTimestamp: at.toISOString(),
    });
    server.put(event("old", 1, new Date(Date.now() - 60_000)));
    track(recording.watcher, "web", [web]);
    await until("watches", () => server.watchCount === 4);
    server.put(event("new", 1, new Date()));
    await until("an event", () => recording.events.length === 1);
    server.put(event("normal", 1, new Date(), "Normal"));
    server.put(event("new", 2, new Date()));
    await until("its second count", () => recording.events.length === 2);
    await pause(50);
    expect(recording.events.map(({ message, object }) => [object, message])).toEqual([
      ["Deployment/default/web", "said 1"],
      ["Deployment/default/web", "said 2"],
    ]);
  });
});

function ownerOf({ apiVersion, kind, metadata }: StoredObject) {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
}

function crashLoop() {
  return {
    containerStatuses: [
      {
        name: "main",
        ready: false,
        restartCount: 9,
        containerID: "containerd://old",
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 1, containerID: "containerd://old" } },
      },
    ],
  };
}
