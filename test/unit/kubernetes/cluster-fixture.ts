import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiObject } from "../../../src/kubernetes/api/api-object.ts";
import type { HealthOptions } from "../../../src/kubernetes/api/health.ts";
import { type AppliedObject, appliedObject } from "../../../src/kubernetes/applied-object.ts";
import { connect, type KubernetesConnection } from "../../../src/kubernetes/connection.ts";
import { createWatcher, type Watcher } from "../../../src/kubernetes/watch/watcher.ts";
import type {
  ContainerRestart,
  PodLogLine,
  WatcherOptions,
} from "../../../src/kubernetes/watch/watcher-options.ts";
import type { Observation, RunEvent } from "../../../src/model/event.ts";
import { FakeApiServer } from "../../fake-api-server/fake-api-server.ts";
import type { StoredObject, TestObject } from "../../fake-api-server/object-table.ts";

/** A fake API server and a connection to it, both gone at the end of the block. */
export async function startCluster(health?: HealthOptions): Promise<{
  readonly server: FakeApiServer;
  readonly connection: KubernetesConnection;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const server = await FakeApiServer.start();
  const directory = mkdtempSync(join(tmpdir(), "tilt-ci-test-"));
  const kubeconfig = server.writeKubeconfig(directory);
  const connection = await connect({ kubeconfig, ...(health === undefined ? {} : { health }) });
  return {
    server,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server.down();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A watcher that keeps all that it says. */
export function recordingWatcher(
  connection: KubernetesConnection,
  options: Partial<WatcherOptions> = {},
) {
  const observations: { resource: string; observation: Observation; at: number }[] = [];
  const events: Extract<RunEvent, { type: "cluster-event" }>[] = [];
  const lines: PodLogLine[] = [];
  const restarts: ContainerRestart[] = [];
  const lost: Error[] = [];
  const watcher = createWatcher(connection, {
    semantics: "strict",
    onObservation: (resource, observation) => {
      observations.push({ resource, observation, at: performance.now() });
    },
    onClusterEvent: (event) => events.push(event),
    onLog: (line) => {
      lines.push(line);
    },
    onRestart: (restart) => restarts.push(restart),
    onLost: (error) => lost.push(error),
    ...options,
  });
  return {
    watcher,
    observations,
    events,
    lines,
    restarts,
    lost,
    states: (resource: string) => {
      const states = observations
        .filter((entry) => entry.resource === resource)
        .map(({ observation }) => observation.state);
      return states.filter((state, index) => state !== states[index - 1]);
    },
    [Symbol.dispose]: () => watcher.close(),
  };
}

/** Tracks objects that are on the server already. */
export function track(
  watcher: Watcher,
  name: string,
  objects: readonly StoredObject[],
  more: Partial<Parameters<Watcher["track"]>[0]> = {},
): void {
  watcher.track({
    name,
    mode: "wait",
    applied: objects.map(applied),
    extraPodSelectors: [],
    discoveryStrategy: "default",
    deployedAt: Date.now(),
    ...more,
  });
}

/** What applying an object returned. */
export function applied(object: StoredObject): AppliedObject {
  return appliedObject(object as unknown as ApiObject);
}

/** Resolves once a condition holds; fails after `ms`. */
export async function until(
  what: string,
  condition: () => boolean | undefined,
  ms = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A Deployment of one replica that its controller has not looked at. */
export function deployment(name: string, namespace = "default"): TestObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: { replicas: 1, template: { metadata: { labels: { app: name } } } },
  };
}

/** What the controller writes once the rollout is complete. */
export const ROLLED_OUT = {
  status: {
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
  },
};

/** The ReplicaSet that a Deployment's controller makes. */
export function replicaSet(owner: StoredObject, hash: string, revision = 1): TestObject {
  const { name, namespace = "default", uid } = owner.metadata;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      annotations: { "deployment.kubernetes.io/revision": String(revision) },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name, uid, controller: true }],
    },
    spec: { replicas: 1 },
  };
}

/** A pod of an owner with one container `main`. */
export function pod(
  owner: StoredObject,
  suffix: string,
  status: Record<string, unknown> = { phase: "Pending" },
  labels: Record<string, string> = {},
): TestObject {
  const { name, namespace = "default", uid } = owner.metadata;
  const { apiVersion, kind } = owner;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-${suffix}`,
      namespace,
      labels,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    spec: { nodeName: "node", containers: [{ name: "main", image: "app:1" }] },
    status,
  };
}

/** The status of a pod whose container `main` runs. */
export function runningStatus(ready: boolean, restartCount = 0): Record<string, unknown> {
  return {
    phase: "Running",
    conditions: [
      { type: "PodScheduled", status: "True" },
      { type: "Initialized", status: "True" },
      { type: "Ready", status: ready ? "True" : "False" },
    ],
    containerStatuses: [
      {
        name: "main",
        ready,
        restartCount,
        containerID: `containerd://main-${restartCount}`,
        state: { running: { startedAt: new Date().toISOString() } },
      },
    ],
  };
}
