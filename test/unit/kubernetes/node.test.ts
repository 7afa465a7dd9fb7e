import { expect, test } from "vitest";
import type { Node, Pod } from "../../../src/kubernetes/api/api-object.ts";
import type { Evidence } from "../../../src/kubernetes/readiness/judgement.ts";
import { podReadiness } from "../../../src/kubernetes/readiness/pod.ts";

const node = (name: string, status: "True" | "False" | "Unknown") =>
  ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: name },
    status: {
      conditions: [
        {
          type: "Ready",
          status,
          message: "container runtime is down",
          lastTransitionTime: "2026-01-02T03:04:05Z",
        },
      ],
    },
  }) as unknown as Node;

const evidence = (nodes: readonly Node[] | undefined, more: Partial<Evidence> = {}): Evidence => ({
  eventsOf: () => [],
  eventsAbout: () => [],
  nodes: () => nodes,
  staticNodes: true,
  nobodyElse: false,
  capacityMayFree: () => false,
  mayStillAppear: () => false,
  exists: () => undefined,
  endsBefore: () => 0,
  ...more,
});

function pod(nodeName: string | undefined, scheduled: boolean): Pod {
  const condition = scheduled
    ? { type: "PodScheduled", status: "True" }
    : { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: "u" },
    spec: { ...(nodeName ? { nodeName } : {}), containers: [{ name: "main" }] },
    status: { phase: "Pending", conditions: [condition] },
  } as unknown as Pod;
}

const judge = (one: Pod, known: Evidence) => podReadiness(one, [one], known);

test.each(["False", "Unknown"] as const)(
  "podReadiness() blames the node when it stays %s",
  (status) => {
    expect(judge(pod("a", true), evidence([node("a", status), node("b", "True")]))).toMatchObject({
      state: "pending",
      failure: { code: "Infra", message: "Node a is not ready: container runtime is down" },
      standing: { ms: 40_000, becomes: "failed" },
    });
  },
);

test.each([
  ["its node is ready", [node("a", "True"), node("b", "False")]],
  ["nodes are not known", undefined],
])("podReadiness() blames no node when %s", (_when, nodes) => {
  expect(judge(pod("a", true), evidence(nodes)).failure).toBeUndefined();
});

test("podReadiness() blames the nodes when none of them is ready to take a pod", () => {
  expect(judge(pod(undefined, false), evidence([node("a", "False")]))).toMatchObject({
    state: "pending",
    failure: { code: "Infra" },
    standing: { ms: 120_000, becomes: "failed" },
  });
});

test.each([
  ["one is ready", evidence([node("a", "False"), node("b", "True")])],
  ["more may come", evidence([node("a", "False")], { staticNodes: false })],
])("podReadiness() calls a pod unschedulable when %s", (_when, known) => {
  expect(judge(pod(undefined, false), known).failure?.code).toBe("Unschedulable");
});

test("podReadiness() gives up a pod whose nodeName is no node of a cluster that does not grow", () => {
  expect(judge(pod("node-42", false), evidence([node("a", "True")]))).toMatchObject({
    state: "pending",
    failure: {
      code: "Unschedulable",
      message: 'Pod default/web is bound to node "node-42", which does not exist',
    },
    standing: { ms: 15_000, becomes: "failed" },
  });
});

test.each([
  ["more nodes may come", evidence([node("a", "True")], { staticNodes: false })],
  ["none has come yet", evidence([])],
])("podReadiness() waits for the node of a nodeName when %s", (_when, known) => {
  expect(judge(pod("node-42", false), known).failure).toBeUndefined();
});
