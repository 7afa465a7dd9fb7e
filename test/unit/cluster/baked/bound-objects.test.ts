import { describe, expect, test } from "vitest";
import {
  type ClusterObject,
  fillTemplate,
  type Listed,
  nodeTemplate,
  takeBound,
} from "../../../../src/cluster/baked/bound-objects.ts";

const baked = {
  cluster: "tci-baked",
  address: "172.18.0.2",
  ca: "-----A-----\nold\n-----Z-----\n",
};
const here = { cluster: "tci-here", address: "172.18.0.9", ca: "-----A-----\nnew\n-----Z-----\n" };
const base64 = (text: string) => Buffer.from(text).toString("base64");

function listed(object: Omit<Partial<ClusterObject>, "metadata"> & { metadata?: object }): Listed {
  return {
    collection: "/api/v1/namespaces/kube-system/configmaps",
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      ...object,
      metadata: {
        name: "some",
        uid: "1",
        resourceVersion: "7",
        creationTimestamp: "2026-01-01T00:00:00Z",
        managedFields: [{ manager: "kubeadm" }],
        ...object.metadata,
      },
    } as ClusterObject,
  };
}

describe("takeBound()", () => {
  test("leaves what names nothing of the cluster", () => {
    const coredns = listed({ data: { Corefile: ".:53 { kubernetes cluster.local }" } });
    expect(takeBound([coredns], baked)).toEqual({ deleted: [], templates: [] });
  });

  test.each([
    ["its name", { server: `https://${baked.cluster}-control-plane:6443` }],
    ["its address", { endpoint: `${baked.address}:6443` }],
    ["its authority", { "ca.crt": baked.ca }],
    ["its authority in base64", { kubeconfig: `data: ${base64(baked.ca)}` }],
  ])("takes what holds %s, to be made again with another one's", (_, data) => {
    const { deleted, templates } = takeBound([listed({ data })], baked);
    expect(deleted).toHaveLength(1);
    const [template] = templates;
    expect(template?.manager).toBe("kubeadm");
    const text = JSON.stringify(template);
    for (const own of [baked.cluster, baked.address, base64(baked.ca), "old"])
      expect(text).not.toContain(own);
    const expected = JSON.parse(
      JSON.stringify(data)
        .replaceAll(baked.cluster, here.cluster)
        .replaceAll(baked.address, here.address)
        .replaceAll(base64(baked.ca), base64(here.ca))
        .replaceAll("old", "new"),
    );
    expect(fillTemplate(template!, here, 0)).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "some" },
      data: expected,
    });
  });

  test("takes workloads, without their status", () => {
    const workload = listed({
      apiVersion: "apps/v1",
      kind: "Deployment",
      status: { replicas: 2 },
      spec: {},
    });
    const { templates } = takeBound([workload], baked);
    expect(templates[0]?.object).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "some" },
      spec: {},
    });
  });

  test("leaves what has an owner to its owner", () => {
    const owned = listed({ metadata: { ownerReferences: [{}] }, data: { a: baked.cluster } });
    expect(takeBound([owned], baked)).toEqual({ deleted: [], templates: [] });
  });

  test("deletes what the API server would add the old authority to", () => {
    const trust = listed({ metadata: { name: "extension-apiserver-authentication" } });
    expect(takeBound([trust], baked)).toEqual({ deleted: [trust], templates: [] });
  });

  test("drops a signature, which only the new token gives", () => {
    const data = { kubeconfig: baked.cluster, "jws-kubeconfig-abcdef": "signed" };
    const { templates } = takeBound([listed({ data })], baked);
    expect(Object.keys(templates[0]?.object.data ?? {})).toEqual(["kubeconfig"]);
  });
});

describe("fillTemplate()", () => {
  test("gives a bootstrap token a day from now", () => {
    const token = listed({
      kind: "Secret",
      type: "bootstrap.kubernetes.io/token",
      data: { expiration: base64("2020-01-01T00:00:00Z"), "token-id": base64("abcdef") },
    });
    const { templates } = takeBound([token], baked);
    const filled = fillTemplate(templates[0]!, here, Date.parse("2026-11-23T10:00:00.123Z"));
    expect(filled.data).toEqual({
      expiration: base64("2026-11-24T10:00:00Z"),
      "token-id": base64("abcdef"),
    });
  });
});

describe("nodeTemplate()", () => {
  test("is the node's name, labels and annotations, for another cluster", () => {
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: "tci-baked-control-plane",
        uid: "1",
        labels: { "kubernetes.io/hostname": "tci-baked-control-plane" },
        annotations: { ip: baked.address },
      },
      status: {},
    };
    expect(fillTemplate({ object: nodeTemplate(node, baked) }, here, 0)).toEqual({
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: "tci-here-control-plane",
        labels: { "kubernetes.io/hostname": "tci-here-control-plane" },
        annotations: { ip: here.address },
      },
    });
  });
});
