import type { FakeApiServer } from "./fake-api-server.ts";
import type { StoredObject, TestObject } from "./object-table.ts";

const WORKLOADS = "apps/v1 deployments";

/**
 * Plays the controllers of Deployments with one replica: each has a ReplicaSet and a pod, ready `readyAfterMs` after it
 * was applied. Returns what stops that.
 */
export function playControllers(
  server: FakeApiServer,
  { readyAfterMs = 50 }: { readonly readyAfterMs?: number } = {},
): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const seen = new Set<string>();
  const unlisten = server.table.onChange(({ object, type }, collection) => {
    if (collection !== WORKLOADS || type === "DELETED" || seen.has(object.metadata.uid)) return;
    seen.add(object.metadata.uid);
    rollOut(server, object, false);
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!server.stayUnready.has(object.metadata.name)) rollOut(server, object, true);
    }, readyAfterMs);
    timers.add(timer);
  });
  return () => {
    unlisten();
    for (const timer of timers) clearTimeout(timer);
  };
}

/** Writes what a Deployment's controller, the scheduler and a kubelet would; called again with another `ready` it changes that. */
export function rollOut(server: FakeApiServer, object: StoredObject, ready: boolean): void {
  const deployment = server.get(object) ?? object;
  const { name } = deployment.metadata;
  const { template } = deployment.spec as { template: PodTemplate };
  const set = server.put(
    owned(deployment, "apps/v1", "ReplicaSet", {
      name: `${name}-1`,
      annotations: { "deployment.kubernetes.io/revision": "1" },
      rest: { spec: { replicas: 1, template }, status: { replicas: 1, observedGeneration: 1 } },
    }),
  );
  server.put(podOf(set, `${name}-1-a`, template, ready, server.table.now()));
  const condition = conditionAt(server.table.now());
  const count = ready ? 1 : 0;
  server.patch(deployment, {
    status: {
      observedGeneration: deployment.metadata.generation,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: count,
      availableReplicas: count,
      conditions: [
        condition(
          "Available",
          ready,
          ready ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        ),
        condition("Progressing", true, ready ? "NewReplicaSetAvailable" : "ReplicaSetUpdated"),
      ],
    },
  });
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image?: string }[];
  };
}

function podOf(
  owner: StoredObject,
  name: string,
  { metadata, spec }: PodTemplate,
  ready: boolean,
  now: string,
): TestObject {
  const started = owner.metadata.creationTimestamp;
  const condition = conditionAt(now);
  return owned(owner, "v1", "Pod", {
    name,
    labels: metadata?.labels ?? {},
    rest: {
      spec: { ...spec, nodeName: "node" },
      status: {
        phase: "Running",
        conditions: [
          condition("PodScheduled", true),
          condition("Initialized", true),
          condition("ContainersReady", ready),
          condition("Ready", ready),
        ],
        containerStatuses: spec.containers.map((container) => ({
          name: container.name,
          image: container.image ?? "",
          ready,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: started } },
        })),
      },
    },
  });
}

function owned(
  owner: StoredObject,
  apiVersion: string,
  kind: string,
  more: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly rest: Readonly<Record<string, unknown>>;
  },
): TestObject {
  const { name, labels = {}, annotations = {}, rest } = more;
  const { uid, namespace } = owner.metadata;
  const reference = {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid,
  };
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations,
      ownerReferences: [{ ...reference, controller: true }],
    },
    ...rest,
  };
}

const conditionAt =
  (at: string) =>
  (type: string, isTrue: boolean, reason = "") => ({
    type,
    status: isTrue ? "True" : "False",
    reason,
    lastTransitionTime: at,
  });
