import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AppliedObject,
  applyObjects,
  connect,
  createWatcher,
  deleteObjects,
  type KubernetesConnection,
  openPortForwards,
  type PodLogLine,
  type Watcher,
  waitForApiServer,
} from "../../src/kubernetes/index.ts";
import { parseManifests } from "../../src/manifests/manifests.ts";
import type { ReadinessMode } from "../../src/model/plan.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";

const NAMESPACE = "room";
const IMAGE = "busybox:stable";
const signal = new AbortController().signal;

interface Case {
  readonly name: string;
  readonly mode?: ReadinessMode;
  readonly manifest: string;
  readonly state: "ready" | "failed" | "crashing";
  readonly code?: string;
  readonly message?: string;
  /** From applying to the verdict, generous for a busy machine. */
  readonly withinSecs: number;
}

const container = (more: string) =>
  `{name: main, image: "${IMAGE}", imagePullPolicy: IfNotPresent${more}}`;
const sleeping = `, command: [sleep, "100000"]`;

function deployment(name: string, main: string, spec = ""): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {terminationGracePeriodSeconds: 1, containers: [${main}]${spec}}
`;
}

function job(name: string, command: string, spec = ""): string {
  return `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec: {${spec}template: {spec: {restartPolicy: Never, containers: [${container(`, terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, '${command}']`)}]}}}
`;
}

/** Each class of failure provoked for real, and what is fine beside it. */
const CASES: readonly Case[] = [
  {
    name: "fine",
    manifest: deployment("fine", container(sleeping)),
    state: "ready",
    withinSecs: 60,
  },
  {
    name: "image-never-pulled",
    manifest: deployment(
      "image-never-pulled",
      `{name: main, image: "nope:1", imagePullPolicy: Never}`,
    ),
    state: "failed",
    code: "ImagePull",
    withinSecs: 30,
  },
  {
    name: "image-bad-name",
    manifest: deployment("image-bad-name", `{name: main, image: "lower/UPPER:1"}`),
    state: "failed",
    code: "ImagePull",
    message: "must be lowercase",
    withinSecs: 30,
  },
  {
    name: "image-no-registry",
    manifest: deployment("image-no-registry", `{name: main, image: "registry.invalid/none:1"}`),
    state: "failed",
    code: "ImagePull",
    message: "no such host",
    withinSecs: 75,
  },
  {
    name: "secret-missing",
    manifest: deployment(
      "secret-missing",
      container(`${sleeping}, envFrom: [{secretRef: {name: gone}}]`),
    ),
    state: "failed",
    code: "ContainerConfig",
    message: 'secret "gone" not found',
    withinSecs: 45,
  },
  {
    name: "key-missing",
    manifest: `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${NAMESPACE}}
data: {a: b}
---${deployment("key-missing", container(`${sleeping}, env: [{name: X, valueFrom: {configMapKeyRef: {name: settings, key: x}}}]`))}`,
    state: "failed",
    code: "ContainerConfig",
    message: "couldn't find key x in ConfigMap room/settings",
    withinSecs: 45,
  },
  {
    name: "command-missing",
    manifest: deployment("command-missing", container(`, command: [nosuchprogram]`)),
    state: "failed",
    code: "ContainerConfig",
    message: "executable file not found",
    withinSecs: 45,
  },
  {
    name: "volume-missing",
    manifest: deployment(
      "volume-missing",
      container(`${sleeping}, volumeMounts: [{name: v, mountPath: /v}]`),
      ", volumes: [{name: v, configMap: {name: gone}}]",
    ),
    state: "failed",
    code: "ContainerConfig",
    message: 'configmap "gone" not found',
    withinSecs: 45,
  },
  {
    name: "claim-missing",
    manifest: deployment(
      "claim-missing",
      container(sleeping),
      ", volumes: [{name: v, persistentVolumeClaim: {claimName: gone}}]",
    ),
    state: "failed",
    code: "VolumePending",
    message: 'persistentvolumeclaim "gone" not found',
    withinSecs: 45,
  },
  {
    name: "node-missing",
    manifest: deployment("node-missing", container(sleeping), ", nodeSelector: {disk: ssd}"),
    state: "failed",
    code: "Unschedulable",
    withinSecs: 45,
  },
  {
    name: "account-missing",
    manifest: deployment("account-missing", container(sleeping), ", serviceAccountName: gone"),
    state: "failed",
    code: "ApplyRejected",
    message: 'serviceaccount "gone" not found',
    withinSecs: 45,
  },
  {
    name: "crash",
    manifest: deployment("crash", container(`, command: [sh, -c, "exit 3"]`)),
    state: "crashing",
    code: "CrashLoop",
    message: "exit code 3",
    withinSecs: 45,
  },
  {
    name: "memory",
    manifest: deployment(
      "memory",
      container(`, command: [tail, /dev/zero], resources: {limits: {memory: 32Mi}}`),
    ),
    state: "failed",
    code: "OOMKilled",
    message: "was killed for memory 2 times (limit 32Mi)",
    withinSecs: 60,
  },
  {
    name: "init-crash",
    manifest: deployment(
      "init-crash",
      container(sleeping),
      `, initContainers: [{name: init, image: "${IMAGE}", imagePullPolicy: IfNotPresent, command: [sh, -c, "exit 4"]}]`,
    ),
    state: "crashing",
    code: "InitFailed",
    message: "exit code 4",
    withinSecs: 45,
  },
  {
    name: "liveness",
    manifest: deployment(
      "liveness",
      container(
        `${sleeping}, readinessProbe: {exec: {command: ["false"]}}, livenessProbe: {periodSeconds: 1, failureThreshold: 2, exec: {command: [sh, -c, "echo dead; exit 1"]}}`,
      ),
    ),
    state: "crashing",
    code: "ProbeFailed",
    message: "Liveness probe failed",
    withinSecs: 60,
  },
  {
    name: "job-done",
    mode: "succeeded",
    manifest: job("job-done", "echo done"),
    state: "ready",
    withinSecs: 60,
  },
  {
    name: "job-failed",
    mode: "succeeded",
    manifest: job("job-failed", "echo no good; exit 7", "backoffLimit: 0, "),
    state: "failed",
    code: "JobFailed",
    message: "exit code 7",
    withinSecs: 60,
  },
  {
    name: "job-late",
    mode: "succeeded",
    manifest: job("job-late", "sleep 1000", "activeDeadlineSeconds: 3, "),
    state: "failed",
    code: "JobFailed",
    message: "deadline",
    withinSecs: 60,
  },
  {
    name: "set-with-storage",
    manifest: `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set-with-storage, namespace: ${NAMESPACE}}
spec:
  serviceName: x
  selector: {matchLabels: {app: set}}
  template: {metadata: {labels: {app: set}}, spec: {terminationGracePeriodSeconds: 1, containers: [${container(sleeping)}]}}
`,
    state: "ready",
    withinSecs: 60,
  },
];

describe.skipIf(!clusterAvailable())("the Kubernetes room on a real cluster", () => {
  const cluster = `room-${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), "tci-room-"));
  const kubeconfig = join(directory, "kubeconfig");
  const lines: PodLogLine[] = [];
  let connection: KubernetesConnection;
  let watcher: Watcher;

  const run = (...argv: readonly [string, ...string[]]) =>
    execFileSync(argv[0], argv.slice(1), {
      encoding: "utf8",
      env: { ...process.env, PATH: rigEnv().path },
      stdio: ["ignore", "pipe", "pipe"],
    });

  function apply(manifest: string): Promise<AppliedObject[]> {
    const items = parseManifests(manifest, { file: "test" });
    return applyObjects(connection, items, { fieldManager: "tilt-ci", signal });
  }

  function track(name: string, applied: readonly AppliedObject[], mode: ReadinessMode = "wait") {
    watcher.track({
      name,
      mode,
      applied,
      extraPodSelectors: [],
      discoveryStrategy: "default",
      deployedAt: Date.now(),
    });
  }

  async function until(what: string, secs: number, condition: () => boolean): Promise<void> {
    const giveUpAt = performance.now() + secs * 1000;
    while (!condition()) {
      if (performance.now() > giveUpAt) throw new Error(`not within ${secs} s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  beforeAll(async () => {
    const { nodeImage } = rigEnv();
    run(
      "kind",
      "create",
      "cluster",
      "--name",
      cluster,
      "--image",
      nodeImage,
      "--kubeconfig",
      kubeconfig,
    );
    run("kind", "load", "docker-image", IMAGE, "--name", cluster);
    connection = await connect({ kubeconfig });
    await waitForApiServer(connection, { signal, fresh: true });
    watcher = createWatcher(connection, {
      semantics: "strict",
      onObservation: () => {},
      onClusterEvent: () => {},
      onLog: (line) => {
        lines.push(line);
      },
      onRestart: () => {},
      onLost: (error) => {
        throw error;
      },
    });
    await apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${NAMESPACE}}}`);
  });

  afterAll(async () => {
    watcher?.close();
    await connection?.close();
    run("kind", "delete", "cluster", "--name", cluster, "--kubeconfig", kubeconfig);
    rmSync(directory, { recursive: true });
  });

  test.concurrent.each(CASES)("$name: $state $code", async (expected) => {
    const { name, manifest, mode, state, code, message = "", withinSecs } = expected;
    track(name, await apply(manifest), mode);
    const seen = () => watcher.observation(name);
    await until(`${name} ${state}`, withinSecs, () => seen()?.state === state);
    expect(seen()?.failure?.code).toBe(code);
    expect(seen()?.failure?.message ?? "").toContain(message);
  });

  test("a server killed in mid-run costs neither log lines nor the verdict", async () => {
    const count = `i=0; while true; do echo n $i; i=$((i+1)); sleep 0.05; done`;
    track(
      "counter",
      await apply(deployment("counter", container(`, command: [sh, -c, '${count}']`))),
    );
    const numbers = () =>
      lines.flatMap(({ resource, text }) =>
        resource === "counter" ? (/^n (\d+)$/.exec(text)?.[1] ?? []) : [],
      );
    await until("numbers", 60, () => numbers().length > 20);
    run("docker", "exec", `${cluster}-control-plane`, "pkill", "-9", "kube-apiserver");
    await until("no answer", 20, () => connection.health.failingFor > 0);
    await until("an answer", 60, () => connection.health.failingFor === 0);
    const before = numbers().length;
    await until("more numbers", 60, () => numbers().length > before + 100);
    expect(numbers().map(Number)).toEqual(numbers().map((_, index) => index));
    await until("ready again", 60, () => watcher.observation("counter")?.state === "ready");
  });

  test("a port-forward leads to the pod that runs, also after it was replaced", async () => {
    const serve = `mkdir /tmp/w; echo hello > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w`;
    const probe = "readinessProbe: {periodSeconds: 1, httpGet: {port: 8080, path: /index.html}}";
    const main = container(
      `, ports: [{containerPort: 8080}], command: [sh, -c, '${serve}'], ${probe}`,
    );
    track("web", await apply(deployment("web", main)));
    await until("ready", 60, () => watcher.observation("web")?.state === "ready");
    const localPort = await freePort();
    const forwards = openPortForwards(
      connection,
      watcher,
      "web",
      [{ localPort, containerPort: 0 }],
      {
        defaultHost: "localhost",
        onLine: () => {},
      },
    );
    await forwards.ready;
    expect(await fetchText(localPort)).toBe("hello\n");
    const [pod] = watcher.pods("web");
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod!.metadata.name}`;
    await connection.transport.request({ method: "DELETE", path });
    await until("another pod", 60, () =>
      watcher
        .pods("web")
        .some((one) => one.metadata.uid !== pod!.metadata.uid && one.status?.phase === "Running"),
    );
    await until("ready", 60, () => watcher.observation("web")?.state === "ready");
    expect(await fetchText(localPort)).toBe("hello\n");
    await forwards.close();
    await expect(fetchText(localPort)).rejects.toThrow("ECONNREFUSED");
  });

  test("a Job that is changed is made anew, and all is gone after deletion", async () => {
    const first = await apply(job("again", "echo one"));
    const second = await apply(job("again", "echo two"));
    expect(second[0]?.uid).not.toBe(first[0]?.uid);
    const { deleted, failures } = await deleteObjects(connection, [...first, ...second], {
      wait: true,
      signal,
    });
    expect(failures).toEqual([]);
    expect(deleted).toHaveLength(1);
  });

  test("an unknown field is refused by name", async () => {
    const manifest = deployment("typo", container(sleeping)).replace(
      "spec:",
      "spec:\n  replicaz: 2",
    );
    await expect(apply(manifest)).rejects.toThrow(
      "Deployment/room/typo was rejected: spec.replicaz: field not declared in schema",
    );
  });

  test("keys that are there twice are created all the same", async () => {
    const twice = ", env: [{name: A, value: '1'}, {name: A, value: '2'}]";
    const [applied] = await apply(deployment("twice", container(`${sleeping}${twice}`)));
    expect(applied?.name).toBe("twice");
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function fetchText(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/index.html", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}
