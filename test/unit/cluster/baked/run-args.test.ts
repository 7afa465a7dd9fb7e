import { describe, expect, test } from "vitest";
import { nodeProxies, nodeRunArgs } from "../../../../src/cluster/baked/run-args.ts";

const node = {
  extraMounts: [],
  extraPortMappings: [],
  apiServerAddress: "127.0.0.1",
  apiServerPort: 0,
  dnsSearch: undefined,
  podSubnet: "10.244.0.0/16",
  serviceSubnet: "10.96.0.0/16",
};
const options = {
  clusterName: "tci-a",
  image: "sha256:1",
  network: "kind",
  node,
  apiPort: 34567,
  proxies: {},
  machine: [],
  resolve: (path: string) => path.replace(/^\./, "/work"),
};

describe("nodeRunArgs()", () => {
  test("is the command that kind 0.33 runs a control plane with", () => {
    expect(nodeRunArgs(options).join(" ")).toBe(
      "run --name tci-a-control-plane --hostname tci-a-control-plane --label io.x-k8s.kind.role=control-plane " +
        "--privileged --security-opt seccomp=unconfined --security-opt apparmor=unconfined --tmpfs /tmp --tmpfs /run " +
        "--volume /var --volume /lib/modules:/lib/modules:ro -e KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER --detach --tty " +
        "--label io.x-k8s.kind.cluster=tci-a --net kind --restart=on-failure:1 --init=false --cgroupns=private " +
        "--publish=127.0.0.1:34567:6443/TCP -e KUBECONFIG=/etc/kubernetes/admin.conf sha256:1",
    );
  });

  test("gives mounts, ports, DNS search, proxies and what the machine needs", () => {
    const args = nodeRunArgs({
      ...options,
      proxies: { HTTP_PROXY: "http://p" },
      machine: ["--userns=host"],
      node: {
        ...node,
        dnsSearch: ["a.b", "c.d"],
        extraMounts: [
          { hostPath: "./x", containerPath: "/x", readOnly: true, propagation: "HostToContainer" },
          { hostPath: "/y", containerPath: "/y", selinuxRelabel: true, propagation: "None" },
        ],
        extraPortMappings: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 53, listenAddress: "::1", protocol: "UDP" },
        ],
      },
    });
    expect(args).toEqual(
      expect.arrayContaining([
        "--volume=/work/x:/x:ro,rslave",
        "--volume=/y:/y:Z",
        "--publish=0.0.0.0:8080:80/TCP",
        "--publish=[::1]:0:53/UDP",
        "KIND_DNS_SEARCH=a.b c.d",
        "HTTP_PROXY=http://p",
        "--userns=host",
      ]),
    );
    expect(args.at(-1)).toBe("sha256:1");
  });
});

describe("nodeProxies()", () => {
  test("gives nothing without a proxy", () => {
    expect(nodeProxies({ PATH: "/bin" }, ["10.96.0.0/16"])).toEqual({});
  });

  test("gives both spellings, and lets all that is inside go without", () => {
    const noProxy =
      "example.com,10.96.0.0/16,tci-a-control-plane,.svc,.svc.cluster,.svc.cluster.local";
    expect(
      nodeProxies({ https_proxy: "http://p:3128", NO_PROXY: "example.com" }, [
        "10.96.0.0/16",
        "tci-a-control-plane",
      ]),
    ).toEqual({
      HTTPS_PROXY: "http://p:3128",
      https_proxy: "http://p:3128",
      NO_PROXY: noProxy,
      no_proxy: noProxy,
    });
  });
});
