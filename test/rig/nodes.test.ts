import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterAvailable, rigEnv } from "./env.ts";
import { createCluster, sh, type TestCluster } from "./shell.ts";

const config = (hostPort: number) => `
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
    extraPortMappings: [{ containerPort: 30080, hostPort: ${hostPort}, listenAddress: 127.0.0.1 }]
  - role: worker
  - role: worker
`;

// One pod on every node says the node's name; writer keeps a file on a volume of StorageClass standard.
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
          image: busybox:latest
          imagePullPolicy: Never
          command: [sh, -c, 'mkdir /www && echo "$NODE" >/www/index.html && echo "serving $NODE" && exec httpd -f -v -p 8080 -h /www']
          env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] }
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
          image: busybox:latest
          imagePullPolicy: Never
          command: [sh, -c, "echo kept >/data/file && cat /data/file"]
          volumeMounts: [{ name: data, mountPath: /data }]
      volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`;

interface Pod {
  readonly name: string;
  readonly node: string;
  readonly address: string;
}

describe.skipIf(!clusterAvailable())("a cluster of three nodes", () => {
  let cluster: TestCluster;
  let pods: readonly Pod[];
  let hostPort: number;

  const inPod = (pod: Pod | undefined, ...argv: string[]) =>
    cluster.kubectl(["exec", pod?.name ?? "", "--", ...argv]);

  beforeAll(async () => {
    hostPort = await freePort();
    cluster = await createCluster("nodes", config(hostPort), { images: ["busybox:latest"] });
    await cluster.kubectl(["apply", "--filename", "-"], workload);
    await cluster.kubectl(["rollout", "status", "daemonset/web", "--timeout=120s"]);
    const columns = "custom-columns=:.metadata.name,:.spec.nodeName,:.status.podIP";
    const table = await cluster.kubectl([
      "get",
      "pods",
      "-l",
      "app=web",
      "--no-headers",
      "-o",
      columns,
    ]);
    pods = table
      .trim()
      .split("\n")
      .map((line) => {
        const [name = "", node = "", address = ""] = line.split(/\s+/);
        return { name, node, address };
      });
    // names can be asked for once a node's rules lead to a CoreDNS that knows the Services
    const resolves = "nslookup web.default.svc.cluster.local >/dev/null 2>&1";
    const wait = `for i in $(seq 120); do ${resolves} && exit 0; sleep 0.5; done; exit 1`;
    for (const pod of pods) await inPod(pod, "sh", "-c", wait);
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  test("runs the version that its image names", async () => {
    const versions = await cluster.kubectl([
      ...["get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}"],
    ]);
    const file = await sh(["docker", "exec", `${cluster.name}-worker`, "cat", "/kind/version"]);
    expect(new Set(versions.split(" "))).toEqual(new Set([file.trim()]));
    expect(rigEnv().nodeImage).toContain(file.trim());
  });

  test("gives every node a pod range of its own", async () => {
    const ranges = await cluster.kubectl([
      "get",
      "nodes",
      "-o",
      "jsonpath={.items[*].spec.podCIDR}",
    ]);
    expect(new Set(ranges.split(" ")).size).toBe(3);
    expect(new Set(pods.map((pod) => pod.node)).size).toBe(3);
  });

  test("lets every pod reach the pods of every node, under their own addresses", async () => {
    for (const from of pods) {
      for (const to of pods) {
        const answer = await inPod(from, "wget", "-T", "5", "-qO-", `http://${to.address}:8080/`);
        expect(answer.trim()).toBe(to.node);
      }
    }
    // httpd writes down who asked
    const log = await cluster.kubectl(["logs", pods[0]?.name ?? ""]);
    for (const from of pods.slice(1)) expect(log).toContain(from.address);
  });

  test("resolves Services by name and spreads them over the nodes", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 40 && seen.size < 3; i++) {
      seen.add((await inPod(pods[0], "wget", "-T", "5", "-qO-", "http://web.default/")).trim());
    }
    expect(seen).toEqual(new Set(pods.map((pod) => pod.node)));
  });

  test("resolves other containers of Docker's network from pods", async () => {
    const name = `${cluster.name}-neighbour`;
    const serve = "mkdir /www && echo neighbour >/www/index.html && exec httpd -f -p 80 -h /www";
    await sh([
      "docker",
      "run",
      "--detach",
      "--network",
      "kind",
      "--name",
      name,
      "busybox:latest",
      "sh",
      "-c",
      serve,
    ]);
    try {
      expect(await inPod(pods[0], "wget", "-T", "5", "-qO-", `http://${name}/`)).toBe(
        "neighbour\n",
      );
    } finally {
      await sh(["docker", "rm", "--force", "--volumes", name]);
    }
  });

  test("publishes NodePorts on the host", async () => {
    const response = await fetch(`http://127.0.0.1:${hostPort}/`);
    expect(pods.map((pod) => pod.node)).toContain((await response.text()).trim());
  });

  test("gives the logs of pods on every node", async () => {
    for (const pod of pods) {
      expect(await cluster.kubectl(["logs", pod.name])).toMatch(`serving ${pod.node}\n`);
    }
  });

  test("forwards ports to pods on other nodes", async () => {
    const pod = pods.find(({ node }) => node.endsWith("worker2"));
    const forward = spawn("kubectl", ["port-forward", `pod/${pod?.name}`, ":8080"], {
      env: { ...process.env, PATH: rigEnv().path, KUBECONFIG: cluster.kubeconfig },
    });
    try {
      const port = await new Promise<string>((resolve, reject) => {
        let output = "";
        forward.stdout.on("data", (chunk) => {
          output += chunk;
          const found = output.match(/127\.0\.0\.1:(\d+)/)?.[1];
          if (found) resolve(found);
        });
        forward.on("close", (code) => reject(new Error(`kubectl port-forward ended with ${code}`)));
      });
      const response = await fetch(`http://127.0.0.1:${port}/`);
      expect((await response.text()).trim()).toBe(pod?.node);
    } finally {
      forward.kill();
    }
  });

  test("provides volumes of the default StorageClass", async () => {
    await cluster.kubectl(["wait", "--for=condition=Complete", "job/writer", "--timeout=60s"]);
    expect(await cluster.kubectl(["logs", "job/writer"])).toBe("kept\n");
    const claim = await cluster.kubectl([
      ...["get", "pvc", "data", "-o", "jsonpath={.spec.storageClassName} {.status.phase}"],
    ]);
    expect(claim).toBe("standard Bound");
  });

  test("pulls through a hosts.toml that is written while containerd runs", async () => {
    const registry = `${cluster.name}-registry`;
    const port = await freePort();
    await sh([
      "docker",
      "run",
      "--detach",
      "--network",
      "kind",
      "--name",
      registry,
      "--publish",
      `127.0.0.1:${port}:5000`,
      rigEnv().registryImage,
    ]);
    try {
      const reference = `localhost:${port}/busybox:pulled`;
      await sh(["docker", "tag", "busybox:latest", reference]);
      await pushWhenUp(reference);
      await sh(["docker", "rmi", reference]);
      const folder = `/etc/containerd/certs.d/localhost:${port}`;
      const write = `mkdir -p ${folder} && echo '[host."http://${registry}:5000"]' >${folder}/hosts.toml`;
      await sh(["docker", "exec", `${cluster.name}-worker`, "sh", "-c", write]);
      const overrides = JSON.stringify({ spec: { nodeName: `${cluster.name}-worker` } });
      const run = [
        "run",
        "pulled",
        `--image=${reference}`,
        "--restart=Never",
        `--overrides=${overrides}`,
      ];
      await cluster.kubectl([...run, "--command", "--", "echo", "pulled"]);
      const done = "--for=jsonpath={.status.phase}=Succeeded";
      await cluster.kubectl(["wait", "pod/pulled", done, "--timeout=60s"]);
      expect(await cluster.kubectl(["logs", "pulled"])).toBe("pulled\n");
    } finally {
      await sh(["docker", "rm", "--force", "--volumes", registry]);
    }
  });

  test("finds images that kind has loaded, and does not load them again", async () => {
    // kind says so on stderr
    const load = `kind load docker-image --name ${cluster.name} busybox:latest 2>&1`;
    expect(await cluster.sh(["sh", "-c", load])).toContain("already present on all nodes");
  });

  test("exports its logs", async () => {
    const folder = `${cluster.kubeconfig}-logs`;
    await cluster.sh(["kind", "export", "logs", "--name", cluster.name, folder]);
    const kubelet = await sh(["sh", "-c", `cat ${folder}/${cluster.name}-worker/kubelet.log`]);
    expect(kubelet).toContain("Started kubelet");
  });
});

async function pushWhenUp(reference: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await sh(["docker", "push", "--quiet", reference]);
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
