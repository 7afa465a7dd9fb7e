import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { PhaseFailure } from "../../../src/errors.ts";
import { toJson } from "../../../src/kubernetes/api/json.ts";
import { connect } from "../../../src/kubernetes/connection.ts";
import { detectRegistry } from "../../../src/kubernetes/detect-registry.ts";
import { collectDiagnostics } from "../../../src/kubernetes/diagnostics/collect-diagnostics.ts";
import { fileSegment } from "../../../src/kubernetes/diagnostics/file-name.ts";
import { containerRuntime, nodeArchitecture } from "../../../src/kubernetes/node-info.ts";
import { openPortForwards, targetPort } from "../../../src/kubernetes/pods/port-forward.ts";
import { applied, deployment, pod, runningStatus, startCluster } from "./cluster-fixture.ts";

/** A directory that goes with the test. */
function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "tilt-ci-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function writeConfig(directory: string, name: string, server: string, current = true): string {
  const path = join(directory, `${name}.json`);
  const config = {
    ...(current ? { "current-context": name } : {}),
    clusters: [{ name, cluster: { server } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `ns-${name}` } }],
    users: [{ name, user: { token: "t" } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe("connect()", () => {
  test("takes the current context, or the one that is named", async () => {
    const directory = temporary();
    const paths = [
      writeConfig(directory, "a", "https://a.example:6443"),
      writeConfig(directory, "b", "https://b.example:6443"),
    ].join(":");
    const first = await connect({ kubeconfig: paths });
    expect(first.access).toMatchObject({ contextName: "a", clusterName: "a", namespace: "ns-a" });
    const second = await connect({ kubeconfig: paths, context: "b", namespace: "mine" });
    expect(second.access).toMatchObject({ contextName: "b", namespace: "mine" });
    expect(second.access.server.host).toBe("b.example:6443");
  });

  test("says which contexts there are when the one asked for is not", async () => {
    const kubeconfig = writeConfig(temporary(), "a", "https://a.example");
    await expect(connect({ kubeconfig, context: "x" })).rejects.toMatchObject({
      message: `No context "x" in kubeconfig "${kubeconfig}"`,
      hint: "It has: a",
      exitCode: 2,
    });
  });

  test("says that a kubeconfig cannot be read", async () => {
    await expect(connect({ kubeconfig: "/nowhere/kubeconfig" })).rejects.toMatchObject({
      message: expect.stringContaining('Cannot read kubeconfig "/nowhere/kubeconfig"'),
      exitCode: 3,
    });
  });

  test("keeps connections open from one request to the next", async () => {
    await using cluster = await startCluster();
    const before = cluster.server.connectionCount;
    for (let index = 0; index < 10; index++)
      await cluster.connection.transport.request({ path: "/readyz" });
    expect(cluster.server.connectionCount - before).toBe(1);
  });
});

describe("toJson()", () => {
  test("writes integers of any size and leaves texts that look like its marks alone", () => {
    expect(toJson({ a: 12345678901234567890n, b: -1n, c: "1", d: 1.5 })).toBe(
      '{"a":12345678901234567890,"b":-1,"c":"1","d":1.5}',
    );
  });
});

describe("detectRegistry()", () => {
  const hosting = (text: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "local-registry-hosting", namespace: "kube-public" },
    data: { "localRegistryHosting.v1": text },
  });
  const node = (annotations: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n", annotations },
    status: { nodeInfo: { architecture: "arm64", containerRuntimeVersion: "containerd://2.1.4" } },
  });

  test("reads the ConfigMap of KEP-1755", async () => {
    await using cluster = await startCluster();
    cluster.server.put(
      hosting(
        'host: "localhost:5001"\nhostFromContainerRuntime: "kind-registry:5000"\nhelp: "https://x"\n',
      ),
    );
    expect(await detectRegistry(cluster.connection)).toEqual({
      host: "localhost:5001",
      hostFromContainerRuntime: "kind-registry:5000",
      help: "https://x",
      source: "ConfigMap kube-public/local-registry-hosting",
    });
  });

  test.each(["{ not: [yaml", "help: only\n", "just text"])(
    "goes on after useless content: %s",
    async (text) => {
      await using cluster = await startCluster();
      cluster.server.put(hosting(text));
      cluster.server.put(
        node({ "tilt.dev/registry": "localhost:1", "tilt.dev/registry-from-cluster": "r:5000" }),
      );
      const lines: string[] = [];
      const registry = await detectRegistry(cluster.connection, {
        onLine: (line) => lines.push(line),
      });
      expect(registry).toMatchObject({ host: "localhost:1", hostFromContainerRuntime: "r:5000" });
      expect(lines).toHaveLength(1);
    },
  );

  test("knows microk8s' registry and kind's annotation, or none", async () => {
    await using cluster = await startCluster();
    expect(await detectRegistry(cluster.connection)).toBeUndefined();
    cluster.server.put(node({ "kind.x-k8s.io/registry": "localhost:5000" }));
    expect(await detectRegistry(cluster.connection)).toMatchObject({ host: "localhost:5000" });
    cluster.server.put({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "registry", namespace: "container-registry", labels: { app: "registry" } },
      spec: { ports: [{ nodePort: 32000 }] },
    });
    expect(await detectRegistry(cluster.connection)).toMatchObject({ host: "localhost:32000" });
    expect(await nodeArchitecture(cluster.connection)).toBe("arm64");
    expect(await containerRuntime(cluster.connection)).toBe("containerd");
  });
});

describe("openPortForwards()", () => {
  const source = { pods: () => [], onPods: () => () => {} };

  test("rejects with the port that is taken", async () => {
    await using cluster = await startCluster();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const forwards = openPortForwards(
      cluster.connection,
      source,
      "web",
      [{ localPort: port, containerPort: 80 }],
      { defaultHost: "localhost", onLine: () => {} },
    );
    const error = await forwards.ready.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PhaseFailure);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "PortTaken",
      message: `Port ${port} on 127.0.0.1 is taken: the port-forward of "web" needs it`,
      object: `127.0.0.1:${port}`,
    });
    await forwards.close();
    taken.close();
  });

  test("targetPort() is the pod's own port when the forward names none", async () => {
    await using cluster = await startCluster();
    const web = cluster.server.put(deployment("web"));
    const ports = (containerPorts: number[]) => ({
      ...(cluster.server.put(pod(web, "x")) as unknown as Parameters<typeof targetPort>[1]),
      spec: {
        containers: [
          { name: "c", ports: containerPorts.map((containerPort) => ({ containerPort })) },
        ],
      },
    });
    expect(targetPort({ localPort: 8080, containerPort: 80 }, ports([1]))).toBe(80);
    expect(targetPort({ localPort: 8080, containerPort: 0 }, ports([1, 8080]))).toBe(8080);
    expect(targetPort({ localPort: 8080, containerPort: 0 }, ports([1, 2]))).toBe(1);
    expect(targetPort({ localPort: 8080, containerPort: 0 }, ports([]))).toBe(8080);
  });
});

describe("collectDiagnostics()", () => {
  test("writes logs, objects, owners, events and nodes, and no value of a Secret", async () => {
    await using cluster = await startCluster();
    const { server, connection } = cluster;
    const web = server.put(deployment("web"));
    const secret = server.put({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "db", namespace: "default" },
      data: { password: Buffer.from("topsecret").toString("base64") },
    });
    const one = server.put(pod(web, "x", runningStatus(true, 1)));
    server.put({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n" },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    });
    server.put({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace: "default" },
      involvedObject: { kind: "Pod", name: "web-x", uid: one.metadata.uid },
      reason: "BackOff",
      message: "Back-off",
      type: "Warning",
    });
    server.logs.append("default/web-x/main", "before");
    server.logs.restart("default/web-x/main");
    server.logs.append("default/web-x/main", "password is topsecret");
    server.logs.end("default/web-x/main");
    const directory = temporary();
    const { files, problems } = await collectDiagnostics(connection, {
      resources: [
        { name: "../web", applied: [applied(web), applied(secret)], pods: [one as never] },
      ],
      directory,
      deadlineMs: 5_000,
      scrub: (text) => text.replaceAll("topsecret", "[redacted]"),
    });
    expect(problems).toEqual([]);
    const folder = fileSegment("../web");
    expect(files.map(({ path }) => path).toSorted()).toEqual(
      [
        `${folder}/deployment-web.yaml`,
        `${folder}/events.txt`,
        `${folder}/pod-web-x.yaml`,
        `${folder}/secret-db.yaml`,
        `${folder}/web-x.main.log`,
        `${folder}/web-x.main.previous.log`,
        "nodes.txt",
      ].toSorted(),
    );
    const read = (name: string) => readFileSync(join(directory, folder, name), "utf8");
    expect(read("secret-db.yaml")).toContain("password: '[redacted, 9 bytes]'");
    expect(read("web-x.main.log")).toMatch(/password is \[redacted\]\n$/);
    expect(read("web-x.main.previous.log")).toMatch(/before\n$/);
    expect(read("events.txt")).toContain("Warning  Pod/web-x  BackOff  Back-off");
    expect(readdirSync(join(directory, ".."))).not.toContain("web");
  });

  test("ends with its deadline and says what it could not have", async () => {
    await using cluster = await startCluster();
    const web = cluster.server.put(deployment("web"));
    cluster.server.hanging = true;
    const startedAt = performance.now();
    const { problems } = await collectDiagnostics(cluster.connection, {
      resources: [{ name: "web", applied: [applied(web)], pods: [] }],
      directory: temporary(),
      deadlineMs: 300,
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe("fileSegment()", () => {
  test.each(["..", ".", "a/b", "../../etc/passwd", "", "a\0b", "x".repeat(300)])(
    "%j becomes harmless",
    (name) => {
      const segment = fileSegment(name);
      expect(segment).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,100}$|^-[0-9a-f]{8}$/);
    },
  );

  test("keeps names apart that look alike", () => {
    expect(fileSegment("a/b")).not.toBe(fileSegment("a_b"));
    expect(fileSegment("web-1.2")).toBe("web-1.2");
  });
});
