import { describe, expect, test } from "vitest";
import { readSingleNode } from "../../../../src/cluster/baked/single-node.ts";
import { mergeKindConfig } from "../../../../src/cluster/kind-config.ts";

const read = (text?: string) => readSingleNode(mergeKindConfig(text).yaml);
const inside = (text?: string) => {
  const node = read(text);
  return typeof node === "string" ? node : node.inside;
};

describe("readSingleNode()", () => {
  test("knows kind's defaults when there is no configuration", () => {
    expect(read()).toMatchObject({
      image: undefined,
      extraMounts: [],
      extraPortMappings: [],
      apiServerAddress: "127.0.0.1",
      apiServerPort: 0,
      podSubnet: "10.244.0.0/16",
      serviceSubnet: "10.96.0.0/16",
    });
  });

  test("keeps apart what the container is given", () => {
    const given = `nodes:
- role: control-plane
  image: kindest/node:v1
  extraMounts: [{ hostPath: ./a, containerPath: /a }]
  extraPortMappings: [{ containerPort: 80, hostPort: 8080 }]
networking: { apiServerPort: 6443, dnsSearch: [a.b] }`;
    expect(inside(given)).toBe(inside("nodes: [{ role: control-plane }]\nnetworking: {}"));
    expect(read(given)).toMatchObject({
      image: "kindest/node:v1",
      extraMounts: [{ hostPath: "./a", containerPath: "/a" }],
      extraPortMappings: [{ containerPort: 80, hostPort: 8080 }],
      apiServerPort: 6443,
      dnsSearch: ["a.b"],
    });
  });

  test.each([
    ["networking: { podSubnet: 10.1.0.0/16 }"],
    ["networking: { apiServerAddress: 0.0.0.0 }"],
    ["nodes: [{ role: control-plane, labels: { a: b } }]"],
    ["featureGates: { A: true }"],
    ["kubeadmConfigPatches: ['kind: ClusterConfiguration']"],
    ["containerdConfigPatches: ['a = 1']"],
  ])("tells nodes apart by what is inside: %s", (text) => {
    expect(inside(text)).not.toBe(inside());
  });

  test("does not mind the order of settings", () => {
    expect(inside("featureGates: { A: true, B: false }")).toBe(
      inside("featureGates: { B: false, A: true }"),
    );
  });

  test.each([
    ["nodes: [{ role: control-plane }, { role: worker }]", "it has more than one node"],
    ["networking: { ipFamily: dual }", "its network is not IPv4 alone"],
    ["networking: { disableDefaultCNI: true }", "it has no pod network of kind's"],
    [
      "nodes: [{ extraMounts: [{ hostPath: /a, containerPath: /var/lib/etcd }] }]",
      "it mounts /var/lib/etcd, which a baked node brings itself",
    ],
    [
      "nodes: [{ extraMounts: [{ hostPath: /a, containerPath: /etc/kubernetes }] }]",
      "it mounts /etc/kubernetes, which a baked node brings itself",
    ],
  ])("says why a node cannot be baked: %s", (text, reason) => {
    expect(read(text)).toBe(reason);
  });

  test("takes a single file below /etc/kubernetes, as an audit policy is", () => {
    const text =
      "nodes: [{ extraMounts: [{ hostPath: /a, containerPath: /etc/kubernetes/policies/a.yaml }] }]";
    expect(read(text)).toMatchObject({ extraMounts: [{ hostPath: "/a" }] });
  });
});
