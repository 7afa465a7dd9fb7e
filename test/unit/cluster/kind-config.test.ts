import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { mergeKindConfig } from "../../../src/cluster/kind-config.ts";

type Patch = { kind: string; apiVersion?: string; [key: string]: unknown };

function patchesOf(yaml: string): readonly Patch[] {
  const config = load(yaml) as { kubeadmConfigPatches: string[] };
  return config.kubeadmConfigPatches.map((patch) => load(patch) as Patch);
}

describe("mergeKindConfig()", () => {
  test("gives one control plane when the user has no configuration", () => {
    const { yaml, nodes, controlPlanes, warnings } = mergeKindConfig(undefined);
    expect({ nodes, controlPlanes, warnings }).toEqual({
      nodes: 1,
      controlPlanes: 1,
      warnings: [],
    });
    expect(load(yaml)).toMatchObject({ kind: "Cluster", apiVersion: "kind.x-k8s.io/v1alpha4" });
  });

  test("patches kubeadm without apiVersion where both of its versions understand it", () => {
    const patches = patchesOf(mergeKindConfig(undefined).yaml);
    const [shared] = patches.filter(
      ({ kind, apiVersion }) => kind === "ClusterConfiguration" && !apiVersion,
    );
    expect(shared).toMatchObject({
      controllerManager: { extraArgs: { "leader-elect": "false" } },
      scheduler: { extraArgs: { "leader-elect": "false" } },
    });
    expect(patches.find(({ apiVersion }) => apiVersion?.endsWith("v1beta3"))).toMatchObject({
      featureGates: { PublicKeysECDSA: true },
    });
    expect(patches.find(({ apiVersion }) => apiVersion?.endsWith("v1beta4"))).toMatchObject({
      encryptionAlgorithm: "ECDSA-P256",
    });
  });

  test("tells kube-proxy of a pause that is not zero, which would mean its default of a second", () => {
    const patches = patchesOf(mergeKindConfig(undefined).yaml);
    expect(patches.find(({ kind }) => kind === "KubeProxyConfiguration")).toMatchObject({
      iptables: { minSyncPeriod: expect.stringMatching(/^[1-9]\d*ms$/) },
    });
  });

  test("keeps the user's settings and puts the user's patches after ours, where they win", () => {
    const { yaml, nodes, controlPlanes } = mergeKindConfig(`
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
- role: control-plane
- role: worker
  extraMounts: [{ hostPath: /a, containerPath: /b }]
networking: { apiServerPort: 6443 }
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  containerLogMaxSize: 5Mi
`);
    expect({ nodes, controlPlanes }).toEqual({ nodes: 3, controlPlanes: 2 });
    expect(load(yaml)).toMatchObject({
      networking: { apiServerPort: 6443 },
      nodes: [{}, {}, { extraMounts: [{ hostPath: "/a" }] }],
    });
    expect(patchesOf(yaml).at(-1)).toEqual({
      kind: "KubeletConfiguration",
      containerLogMaxSize: "5Mi",
    });
  });

  test("shortens the election of a lone etcd only", () => {
    const elects = (yaml: string) => patchesOf(yaml).some((patch) => "etcd" in patch);
    expect(elects(mergeKindConfig(undefined).yaml)).toBe(true);
    expect(elects(mergeKindConfig("nodes: [{}, {}, {}]").yaml)).toBe(false);
  });

  test("warns of registry mirrors, which break containerd, and of a name", () => {
    const { warnings, yaml } = mergeKindConfig(
      `name: mine
containerdConfigPatches:
- |-
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."localhost:5001"]
    endpoint = ["http://r:5000"]`,
      "kind.yaml",
    );
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("kind.yaml patches registry.mirrors");
    expect(warnings[1]).toContain('names the cluster "mine"');
    expect(load(yaml)).not.toHaveProperty("name");
  });

  test.each([
    ["{", "Cannot read k.yaml: unexpected end of the stream within a flow collection"],
    ["- a", "Cannot read k.yaml: it is no YAML mapping"],
    ["kind: Pod", 'Cannot read k.yaml: its kind is "Pod", not "Cluster"'],
    ["apiVersion: v1", 'Cannot read k.yaml: its apiVersion is "v1", not "kind.x-k8s.io/v1alpha4"'],
    ["nodes: 3", 'Cannot read k.yaml: "nodes" is no list'],
  ])("refuses %j", (text, message) => {
    expect(() => mergeKindConfig(text, "k.yaml")).toThrow(message);
  });
});
