import { expect, test } from "vitest";
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

const RESOURCES = 300;
const BOUND_MS = 50;

test("Watcher tells of the last condition within 50 ms at the median, with 300 resources", async () => {
  await using cluster = await startCluster();
  const { server } = cluster;
  using recording = recordingWatcher(cluster.connection);
  const deployments = Array.from({ length: RESOURCES }, (_, index) => {
    const web = server.put(deployment(`web-${index}`));
    const set = server.put(replicaSet(web, "a"));
    server.put(pod(set, "x", runningStatus(false)));
    track(recording.watcher, `web-${index}`, [web]);
    return web;
  });
  await until("all pods", () => recording.watcher.pods(`web-${RESOURCES - 1}`).length === 1);
  await pause(200);
  const writtenAt = new Map<string, number>();
  for (const web of deployments) {
    writtenAt.set(web.metadata.name, performance.now());
    server.patch(web, ROLLED_OUT);
    await pause(2);
  }
  await until("all ready", () =>
    deployments.every(
      ({ metadata }) => recording.watcher.observation(metadata.name)?.state === "ready",
    ),
  );
  const delays = recording.observations
    .filter(({ observation }) => observation.state === "ready")
    .map(({ resource, at }) => at - writtenAt.get(resource)!)
    .toSorted((a, b) => a - b);
  expect(delays.length).toBe(RESOURCES);
  const median = delays[delays.length / 2]!;
  console.info(`median ${median.toFixed(1)} ms, longest ${delays.at(-1)!.toFixed(1)} ms`);
  expect(median).toBeLessThanOrEqual(BOUND_MS);
});
