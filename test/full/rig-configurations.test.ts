import { describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { createCluster, sh, type TestCluster } from "../rig/shell.ts";

const image = "busybox:latest";

const config = (networking: string, nodes = "[{ role: control-plane }, { role: worker }]") => `
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: ${networking}
nodes: ${nodes}
`;

/** A web server on every node, behind the Service web; the claim and its writer need a provisioner. */
const workload = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      tolerations: [{ operator: Exists }]
      containers:
        - name: web
          image: ${image}
          imagePullPolicy: Never
          command: [sh, -c, 'mkdir /www && hostname >/www/index.html && exec httpd -f -p "[::]:8080" -h /www']
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
apiVersion: batch/v1
kind: Job
metadata: { name: writer }
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: writer
          image: ${image}
          imagePullPolicy: Never
          command: [sh, -c, "echo kept >/data/file"]
          volumeMounts: [{ name: data, mountPath: /data }]
      volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`;

async function expectItWorks(cluster: TestCluster): Promise<void> {
  await cluster.kubectl(["apply", "--filename", "-"], workload);
  await cluster.kubectl(["rollout", "status", "daemonset/web", "--timeout=120s"]);
  await cluster.kubectl(["wait", "--for=condition=Complete", "job/writer", "--timeout=120s"]);
  const addresses = await cluster.kubectl([
    ...["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}"],
  ]);
  for (const address of addresses.split(" ")) {
    const host = address.includes(":") ? `[${address}]` : address;
    const get = ["wget", "-T", "5", "-qO-", `http://${host}:8080/`];
    expect(await cluster.kubectl(["exec", "daemonset/web", "--", ...get])).toMatch(/^web-/);
  }
  const dns = ["--namespace", "kube-system", "rollout", "status", "deployment/coredns"];
  await cluster.kubectl([...dns, "--timeout=120s"]);
  const byName = ["wget", "-T", "5", "-qO-", "http://web.default/"];
  expect(await cluster.kubectl(["exec", "daemonset/web", "--", ...byName])).toMatch(/^web-/);
}

describe.skipIf(!clusterAvailable())("kind configurations on the rig", () => {
  test.each([
    ["one node", config("{}", "[{ role: control-plane }]")],
    ["IPv6", config("{ ipFamily: ipv6 }")],
    ["both IP families", config("{ ipFamily: dual }")],
    ["other ranges", config("{ podSubnet: 10.100.0.0/16, serviceSubnet: 10.200.0.0/16 }")],
    ["kube-proxy with nftables", config("{ kubeProxyMode: nftables }")],
  ])("%s", async (label, text) => {
    await using cluster = await createCluster(label.replace(/\W+/g, "-").toLowerCase(), text, {
      images: [image],
    });
    await expectItWorks(cluster);
  });

  test("disableDefaultCNI leaves the network to somebody else", async () => {
    await using cluster = await createCluster("nocni", config("{ disableDefaultCNI: true }"), {
      waitSeconds: 0,
    });
    const files = await sh([
      "docker",
      "exec",
      `${cluster.name}-worker`,
      "ls",
      "-A",
      "/etc/cni/net.d",
    ]);
    expect(files).toBe("");
    const ready = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
    expect(await cluster.kubectl(["get", "nodes", "-o", ready])).toBe("False False");
  });

  test("a node that starts again under another address goes on", async () => {
    const oneNode = config("{}", "[{ role: control-plane }]");
    await using cluster = await createCluster("restart", oneNode, { images: [image] });
    await expectItWorks(cluster);
    const node = `${cluster.name}-control-plane`;
    const before = await addressOf(node);
    await sh(["docker", "stop", node]);
    await using squatters = await occupy(before, node);
    await sh(["docker", "start", node]);
    expect(await addressOf(node)).not.toBe(before);
    expect(squatters.names.length).toBeGreaterThan(0);
    await cluster.sh([
      "sh",
      "-c",
      "until kubectl get --raw /readyz >/dev/null 2>&1; do sleep 0.5; done",
    ]);
    // what is known about pods is from before until the kubelet and the controllers have reported again
    await cluster.kubectl(["rollout", "restart", "daemonset/web"]);
    await cluster.kubectl([
      "--namespace",
      "kube-system",
      "rollout",
      "restart",
      "deployment/coredns",
    ]);
    await expectItWorks(cluster);
  });
});

async function addressOf(container: string): Promise<string> {
  const format = "{{.NetworkSettings.Networks.kind.IPAddress}}";
  return (await sh(["docker", "inspect", "--format", format, container])).trim();
}

/** Starts containers until one of them has got an address of kind's network that has just become free. */
async function occupy(
  address: string,
  label: string,
): Promise<AsyncDisposable & { names: string[] }> {
  const names: string[] = [];
  const held = {
    names,
    async [Symbol.asyncDispose]() {
      if (names.length > 0) await sh(["docker", "rm", "--force", ...names]);
    },
  };
  for (let i = 0; i < 20; i++) {
    const name = `${label}-squatter-${i}`;
    await sh([
      "docker",
      "run",
      "--detach",
      "--network",
      "kind",
      "--name",
      name,
      image,
      "sleep",
      "600",
    ]);
    names.push(name);
    if ((await addressOf(name)) === address) return held;
  }
  await held[Symbol.asyncDispose]();
  throw new Error(`No container got ${address}`);
}
