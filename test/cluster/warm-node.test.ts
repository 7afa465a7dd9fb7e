import { execFileSync, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  bakeNode,
  type ClusterLease,
  createRunId,
  down,
  openRecord,
  type RegistryLease,
  type RunRecord,
  startKindCluster,
  startRegistry,
  teardown,
  type WarmOptions,
} from "../../src/cluster/index.ts";
import { listRecords } from "../../src/cluster/record.ts";
import type { Host } from "../../src/host/host.ts";
import { createHost } from "../../src/host/node-host.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { danglingVolumes, expectNoNewVolumes } from "../stub-node/leftovers.ts";
import { objectsOf } from "./cluster-objects.ts";

const CLI = resolve(import.meta.dirname, "../../dist/cli.cjs");

/** `npm run test:full`: what takes longest is left to it. */
const FULL = process.env.TILT_CI_TEST_FULL === "1";

describe.skipIf(!clusterAvailable())("a cluster from a baked node", () => {
  // of these tests alone: what a developer has baked is not theirs to use or remove
  const kindConfig =
    "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{ role: control-plane, labels: { baked: here } }]\n";
  const tag = `tilt-ci-test/node:${createRunId().slice(4)}`;
  let dir: string;
  let host: Host;
  let config: string;
  let volumes: readonly string[];

  const docker = (...args: readonly string[]) =>
    execFileSync("docker", [...args], { encoding: "utf8" }).trim();
  const kubectl = ({ kubeconfig }: ClusterLease, ...args: readonly string[]) =>
    execFileSync("kubectl", ["--kubeconfig", kubeconfig, ...args], {
      encoding: "utf8",
      env: { ...process.env, PATH: rigEnv().path },
    });

  interface Started {
    readonly record: RunRecord;
    readonly cluster: ClusterLease;
    readonly registry: RegistryLease | undefined;
    readonly warnings: string[];
    readonly hints: string[];
    readonly steps: string[];
  }

  const never = async () => {
    throw new Error("this test bakes nothing");
  };
  const auto: WarmOptions = { mode: "auto", bake: never, bakeCommand: "bake it" };

  async function start(warm: WarmOptions | undefined, extra: object = {}): Promise<Started> {
    const run = createRunId();
    const record = await openRecord(dir, run, host);
    records.push(record);
    const registry =
      "registry" in extra ? undefined : startRegistry({ record, clusterName: run }, host);
    const kubeconfig = join(dir, `${run}.kubeconfig`);
    const [warnings, hints, steps]: [string[], string[], string[]] = [[], [], []];
    const options = {
      ...{ record, name: run, kubeconfig, registry, warm },
      ...{ nodeImage: rigEnv().nodeImage, kindConfigFile: config, ...extra },
    };
    const cluster = startKindCluster(options, host, {
      onWarning: (message) => warnings.push(message),
      onHint: (message) => hints.push(message),
      onStep: (name) => steps.push(name),
    });
    await Promise.all([cluster.settled, cluster.created, cluster.nodes]);
    return { record, cluster, registry, warnings, hints, steps };
  }

  /** Also what a failed test leaves. */
  const records: RunRecord[] = [];

  async function remove({ record, cluster }: Started): Promise<void> {
    expect(await teardown(record, host)).toEqual({ failures: [] });
    expect(docker("ps", "--all", "--quiet", "--filter", `name=${cluster.name}`)).toBe("");
  }

  function atRest({ cluster }: Started): void {
    const timeout = "--timeout=120s";
    kubectl(cluster, "wait", "--for=condition=Available", "deployments", "--all", "-A", timeout);
    kubectl(cluster, "rollout", "status", "-n", "kube-system", "daemonset/kube-proxy", timeout);
    kubectl(cluster, "wait", "--for=condition=Ready", "pods", "--all", "-A", timeout);
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tci-warm-"));
    config = join(dir, "kind.yaml");
    writeFileSync(config, kindConfig);
    host = createHost({ env: { ...process.env, PATH: rigEnv().path }, cwd: dir });
    volumes = danglingVolumes();
    const { nodeImage } = rigEnv();
    const stateDir = join(dir, "bake");
    const options = { stateDir, nodeImage, kindConfigFile: config, tag };
    const baked = await bakeNode({ ...options, with: ["busybox:latest"] }, host);
    expect(baked.tag).toBe(tag);
    expect(docker("ps", "--all", "--quiet", "--filter", "name=-assemble")).toBe("");
  });

  afterAll(async () => {
    for (const record of records) await teardown(record, host);
    docker("image", "rm", "--force", tag);
    await expectNoNewVolumes(volumes);
    rmSync(dir, { recursive: true, force: true });
  });

  test("has the objects of one that kind made, but for names, addresses, keys and times", async () => {
    const fresh = await start(undefined);
    atRest(fresh);
    const expected = objectsOf(fresh.cluster.kubeconfig, fresh.cluster.name);
    await remove(fresh);
    const warm = await start(auto);
    expect(warm.warnings).toEqual([]);
    expect(warm.steps).toContain("baked node");
    atRest(warm);
    const found = objectsOf(warm.cluster.kubeconfig, warm.cluster.name);
    expect(Object.keys(found).length).toBeGreaterThan(200);
    expect(found).toEqual(expected);
    await remove(warm);
  });

  describe("beside another one", () => {
    let one: Started;
    let two: Started;
    const nodeOf = ({ cluster }: Started) => `${cluster.name}-control-plane`;

    beforeAll(async () => {
      [one, two] = await Promise.all([start(auto), start(auto)]);
      atRest(one);
    });
    afterAll(async () => {
      await remove(one);
      await remove(two);
    });

    test("has keys, a name, an address, a machine id and a port of its own", () => {
      const read = (started: Started, path: string) => docker("exec", nodeOf(started), "cat", path);
      const own = [
        "/etc/machine-id",
        "/kind/old-ipv4",
        "/kind/kubeadm.conf",
        ...["ca.key", "ca.crt", "sa.key", "front-proxy-ca.key", "apiserver.key", "etcd/ca.key"].map(
          (file) => `/etc/kubernetes/pki/${file}`,
        ),
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/kubelet.conf",
        "/etc/kubernetes/manifests/etcd.yaml",
      ];
      for (const path of own) expect(read(one, path), path).not.toBe(read(two, path));
      const certificate = new X509Certificate(read(one, "/etc/kubernetes/pki/apiserver.crt"));
      const address = read(one, "/kind/old-ipv4");
      expect(certificate.subjectAltName?.split(", ").sort()).toEqual(
        [
          ...[nodeOf(one), "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(
            (name) => `DNS:${name}`,
          ),
          ...["DNS:kubernetes.default.svc.cluster.local", "DNS:localhost"],
          ...["10.96.0.1", "127.0.0.1", address].map((ip) => `IP Address:${ip}`),
        ].sort(),
      );
      expect(readFileSync(one.cluster.kubeconfig, "utf8")).not.toBe(
        readFileSync(two.cluster.kubeconfig, "utf8"),
      );
    });

    test("takes nothing from the other one's administrator", () => {
      const server = /server: (.*)/.exec(readFileSync(one.cluster.kubeconfig, "utf8"))?.[1] ?? "";
      const asked = () =>
        execFileSync(
          "kubectl",
          [
            "--kubeconfig",
            two.cluster.kubeconfig,
            "--server",
            server,
            "--insecure-skip-tls-verify",
          ].concat(["get", "namespaces"]),
          { encoding: "utf8", stdio: "pipe", env: { ...process.env, PATH: rigEnv().path } },
        );
      expect(asked).toThrow(/Unauthorized|must be logged in|specifying a root certificates/);
    });

    test("runs pods with Services, DNS, logs, exec, its registry, and images baked in", async () => {
      const { host: push, hostFromContainerRuntime: pull } = await one.registry!.ready;
      docker("tag", "busybox:latest", `${push}/app:1`);
      docker("push", "--quiet", `${push}/app:1`);
      docker("rmi", `${push}/app:1`);
      await one.cluster.pull(`${pull}/app:1`);
      const serve =
        "mkdir /w && echo served >/w/index.html && echo started && httpd -f -p 8080 -h /w";
      const inCluster = (...args: readonly string[]) => kubectl(one.cluster, ...args);
      inCluster("create", "deployment", "app", `--image=${push}/app:1`, "--", "sh", "-c", serve);
      inCluster("expose", "deployment", "app", "--port=80", "--target-port=8080");
      inCluster(
        "run",
        "baked",
        "--image=busybox:latest",
        "--image-pull-policy=Never",
        "--",
        "sleep",
        "600",
      );
      inCluster("rollout", "status", "deployment/app", "--timeout=90s");
      inCluster("wait", "--for=condition=Ready", "pod/baked", "--timeout=90s");
      expect(inCluster("logs", "deployment/app")).toBe("started\n");
      const fetch = ["wget", "-q", "-O", "-", "http://app.default.svc.cluster.local"];
      await expect
        .poll(() => inCluster("exec", "baked", "--", "sh", "-c", `${fetch.join(" ")} || true`), {
          timeout: 30_000,
        })
        .toBe("served\n");
    });

    test("is kind's own to list, load into, and delete", () => {
      const kind = (...args: readonly string[]) =>
        execFileSync("kind", args, { encoding: "utf8", stdio: "pipe", env: host.env });
      expect(kind("get", "clusters").split("\n")).toContain(one.cluster.name);
      expect(kind("get", "nodes", "--name", one.cluster.name).trim()).toBe(nodeOf(one));
      expect(kind("get", "kubeconfig", "--name", one.cluster.name)).toContain(
        `name: kind-${one.cluster.name}`,
      );
      docker("tag", "busybox:latest", "tci-warm-loaded:1");
      kind("load", "docker-image", "--name", two.cluster.name, "tci-warm-loaded:1");
      docker("rmi", "tci-warm-loaded:1");
      expect(docker("exec", nodeOf(two), "ctr", "-n", "k8s.io", "images", "ls", "-q")).toContain(
        "docker.io/library/tci-warm-loaded:1",
      );
      kind("delete", "cluster", "--name", two.cluster.name, "--kubeconfig", join(dir, "none"));
      expect(docker("ps", "--all", "--quiet", "--filter", `name=${nodeOf(two)}`)).toBe("");
    });

    test("comes up again after its machine was restarted", async () => {
      kubectl(one.cluster, "create", "deployment", "stays", "--image=registry.k8s.io/pause:3.10.1");
      kubectl(one.cluster, "rollout", "status", "deployment/stays", "--timeout=90s");
      docker("stop", "--time", "2", nodeOf(one));
      docker("start", nodeOf(one));
      await expect
        .poll(
          () => {
            try {
              return kubectl(one.cluster, "get", "--raw", "/readyz");
            } catch (error) {
              return String(error);
            }
          },
          { timeout: 90_000, interval: 500 },
        )
        .toBe("ok");
      kubectl(one.cluster, "delete", "pods", "--all", "--now");
      kubectl(one.cluster, "rollout", "status", "deployment/stays", "--timeout=120s");
    });
  });

  test("is made by kind, with a hint, where nothing is baked for it", async () => {
    const other = join(dir, "other.yaml");
    writeFileSync(other, kindConfig.replace("here", "there"));
    const started = await start(auto, { kindConfigFile: other });
    expect(started.steps).not.toContain("baked node");
    expect(started.warnings).toEqual([]);
    expect(started.hints).toEqual([expect.stringContaining("bake it")]);
    await remove(started);
  });

  test("is made by kind, with one warning, where the baked node does not come up", async () => {
    const broken = `${tag}-broken`;
    const start0 = "#!/bin/sh\necho this baked node is broken\nexit 1\n";
    const id = docker("create", "--entrypoint", "sh", tag);
    const script = join(dir, "start");
    writeFileSync(script, start0, { mode: 0o755 });
    docker("cp", script, `${id}:/kind/tilt-ci/start`);
    const entry = docker("image", "inspect", "--format", "{{json .Config.Entrypoint}}", tag);
    docker("commit", "--change", `ENTRYPOINT ${entry}`, id, broken);
    docker("rm", "--volumes", id);
    try {
      const started = await start(auto);
      expect(started.warnings).toEqual([
        expect.stringMatching(
          /^The cluster does not start from a baked node, .*: The node \S+ has ended: this baked node is broken$/,
        ),
      ]);
      expect(started.steps).toContain("Starting control-plane");
      await remove(started);
    } finally {
      docker("image", "rm", "--force", broken);
    }
  });

  test.skipIf(!FULL)("always is baked first when it is not there", async () => {
    const other = join(dir, "always.yaml");
    writeFileSync(other, kindConfig.replace("here", "always"));
    const { nodeImage } = rigEnv();
    const made = `${tag}-always`;
    const options = { stateDir: join(dir, "bake"), nodeImage, kindConfigFile: other, tag: made };
    const bake = () => bakeNode(options, host);
    const started = await start({ ...auto, mode: "always", bake }, { kindConfigFile: other });
    expect(started.steps).toContain("baked node");
    await remove(started);
    docker("image", "rm", "--force", made);
  });

  test("always is made by kind, with one warning, where it cannot be baked", async () => {
    const other = join(dir, "two.yaml");
    writeFileSync(
      other,
      `${kindConfig.split("nodes:")[0]}nodes: [{ role: control-plane }, { role: worker }]\n`,
    );
    const started = await start({ ...auto, mode: "always" }, { kindConfigFile: other });
    expect(started.warnings).toEqual([expect.stringContaining("it has more than one node")]);
    await remove(started);
  });

  describe("bakeNode()", () => {
    // moments of its whole life, each in another step
    test.each(FULL ? [2_000, 8_000, 20_000, 30_000] : [8_000])(
      "killed after %i ms leaves nothing that down() does not remove",
      async (ms) => {
        const state = mkdtempSync(join(tmpdir(), "tci-killed-"));
        const other = join(state, "kind.yaml");
        writeFileSync(other, kindConfig.replace("here", "killed"));
        const args = ["node", "bake", "--kind-config", other, "--tag", `${tag}-killed`];
        const child = spawn(process.execPath, [CLI, ...args, "--node-image", rigEnv().nodeImage], {
          env: { ...host.env, XDG_STATE_HOME: state },
          stdio: "ignore",
        });
        const ended = new Promise((done) => child.once("exit", done));
        await Promise.race([delay(ms), ended]);
        child.kill("SIGKILL");
        await ended;
        const stateDir = join(state, "tilt-ci");
        const runs = (await listRecords(stateDir)).map(({ run }) => run);
        const result = await down({ stateDir }, host);
        expect(result).toMatchObject({ removed: runs, failures: [] });
        await delay(1_500); // what a killed docker run may still bring
        for (const run of runs)
          expect(docker("ps", "--all", "--format", "{{.Names}}", "--filter", `name=${run}`)).toBe(
            "",
          );
        if (docker("image", "ls", "--quiet", `${tag}-killed`))
          docker("image", "rm", "--force", `${tag}-killed`);
        rmSync(state, { recursive: true });
      },
    );
  });
});
