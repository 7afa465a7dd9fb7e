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
import { pauseImage } from "../rig/pause-image.ts";
import { danglingVolumes, expectNoNewVolumes } from "../stub-node/leftovers.ts";
import { objectsOf } from "./cluster-objects.ts";
import {
  EXPECTED_ATTRIBUTES,
  EXPECTED_LISTING,
  LIST_COMMAND,
  loadLayeredImage,
} from "./layered-image.ts";
import { pathsOf, secretsOfImage, secretsOfNode, shared } from "./node-secrets.ts";
import { isWarm } from "./warm.ts";

const CLI = resolve(import.meta.dirname, "../../dist/cli.cjs");

/** Where kubeadm and the kubelet keep the private keys of a control plane. */
const KEY_FILES = [
  ...[
    ...["apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "ca", "front-proxy-ca"],
    ...["front-proxy-client", "sa", "etcd/ca", "etcd/healthcheck-client", "etcd/peer"],
    "etcd/server",
  ].map((name) => `/etc/kubernetes/pki/${name}.key`),
  ...["admin", "super-admin", "controller-manager", "scheduler", "kubelet"].map(
    (name) => `/etc/kubernetes/${name}.conf`,
  ),
  "/var/lib/kubelet/pki/kubelet.key",
];

/** `npm run test:full`: what takes longest is left to it. */
const FULL = process.env.TILT_CI_TEST_FULL === "1";

// without the switch that the other tests have: it would change nothing here
describe.skipIf(!clusterAvailable() || isWarm)("a cluster from a baked node", () => {
  // of these tests alone: what a developer has baked is not theirs to use or remove
  const kindConfig =
    "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{ role: control-plane, labels: { baked: here } }]\n";
  const tag = `tilt-ci-test/node:${createRunId().slice(4)}`;
  const layered = tag.replace("/node:", "/layered:");
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
    readonly registry: RegistryLease;
    readonly warnings: string[];
    readonly hints: string[];
    readonly steps: string[];
  }

  const never = async () => {
    throw new Error("this test bakes nothing");
  };
  const auto: WarmOptions = { mode: "auto", bake: never, bakeCommand: "bake it" };

  interface Extra {
    readonly kindConfigFile?: string;
    readonly onStep?: (name: string, node: string) => void;
  }

  async function start(
    warm: WarmOptions | undefined,
    { onStep, ...extra }: Extra = {},
  ): Promise<Started> {
    const run = createRunId();
    const record = await openRecord(dir, run, host);
    records.push(record);
    const registry = startRegistry({ record, clusterName: run }, host);
    const kubeconfig = join(dir, `${run}.kubeconfig`);
    const [warnings, hints, steps]: [string[], string[], string[]] = [[], [], []];
    const options = {
      ...{ record, name: run, kubeconfig, registry, warm },
      ...{ nodeImage: rigEnv().nodeImage, kindConfigFile: config, ...extra },
    };
    const cluster = startKindCluster(options, host, {
      onWarning: (message) => warnings.push(message),
      onHint: (message) => hints.push(message),
      onStep: (name) => {
        steps.push(name);
        onStep?.(name, `${run}-control-plane`);
      },
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
    // The kubelet tells the API server of its static pods when it comes to it: the wait after this would miss them.
    const parts = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    const pods = parts.map((part) => `pod/${part}-${cluster.name}-control-plane`);
    kubectl(cluster, "wait", "--for=create", "-n", "kube-system", ...pods, timeout);
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
    loadLayeredImage(layered);
    const baked = await bakeNode({ ...options, with: ["busybox:latest", layered] }, host);
    expect(baked.tag).toBe(tag);
    expect(await listRecords(stateDir)).toEqual([]); // whatever else it made is gone
  });

  afterAll(async () => {
    for (const record of records) await teardown(record, host);
    docker("image", "rm", "--force", tag, layered);
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
      const { host: push, hostFromContainerRuntime: pull } = await one.registry.ready;
      docker("tag", "busybox:latest", `${push}/app:1`);
      docker("push", "--quiet", `${push}/app:1`);
      docker("rmi", `${push}/app:1`);
      await one.cluster.pull({ ref: `${pull}/app:1` });
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

    test("has images of many layers in it, as they are after all their deletions and links", () => {
      const inCluster = (...args: readonly string[]) => kubectl(one.cluster, ...args);
      const sleep = ["--", "sleep", "600"];
      inCluster("run", "layered", `--image=${layered}`, "--image-pull-policy=Never", ...sleep);
      inCluster("wait", "--for=condition=Ready", "pod/layered", "--timeout=90s");
      expect(inCluster("exec", "layered", "--", "sh", "-c", LIST_COMMAND)).toBe(EXPECTED_LISTING);
      const id = "jsonpath={.status.containerStatuses[0].containerID}";
      const container = inCluster("get", "pod", "layered", "-o", id).replace("containerd://", "");
      const root = `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${container}/rootfs/t`;
      const tar = ["tar", "--xattrs", "--xattrs-include=*", "-C", root, "-cf", "-"];
      const archive = execFileSync("docker", ["exec", nodeOf(one), ...tar, "noted", "capable"]);
      for (const attribute of EXPECTED_ATTRIBUTES)
        expect(archive.includes(attribute), attribute.toString("latin1")).toBe(true);
    });

    test("runs what is built on an image that is in it", async () => {
      const { host: push, hostFromContainerRuntime: pull } = await one.registry.ready;
      const built = `${push}/derived:1`;
      const dockerfile = `FROM ${layered}\nRUN rm -r /t/emptied /t/kept && echo more >>/t/replaced\n`;
      execFileSync("docker", ["build", "--quiet", "--tag", built, "-"], { input: dockerfile });
      docker("push", "--quiet", built);
      docker("rmi", built);
      await one.cluster.pull({ ref: `${pull}/derived:1` });
      const inCluster = (...args: readonly string[]) => kubectl(one.cluster, ...args);
      inCluster("run", "derived", `--image=${built}`, "--", "sleep", "600");
      inCluster("wait", "--for=condition=Ready", "pod/derived", "--timeout=90s");
      expect(inCluster("exec", "derived", "--", "sh", "-c", LIST_COMMAND).split("\n")).toEqual(
        EXPECTED_LISTING.replaceAll(/^\.\/(emptied|kept)\b.*\n/gm, "")
          .replace("kept\nnew\nnew\nnew\n", "new\nnew\nmore\n")
          .split("\n"),
      );
    });

    test("shares no private key, certificate or token with another one or with its image", async () => {
      atRest(two);
      const secrets = {
        one: await secretsOfNode(nodeOf(one)),
        two: await secretsOfNode(nodeOf(two)),
        image: await secretsOfImage(tag),
      };
      // the search itself works: what every cluster has is found
      for (const { keys, certificates, tokens } of [secrets.one, secrets.two]) {
        expect(pathsOf(keys)).toEqual(expect.arrayContaining([...KEY_FILES]));
        expect(pathsOf(certificates)).toContain("/etc/kubernetes/pki/ca.crt");
        expect(pathsOf(tokens).join()).toMatch(/var\/lib\/kubelet\/pods\/.*\/token/);
      }
      expect(secrets.image.files).toBeGreaterThan(100);
      expect(pathsOf(secrets.image.keys)).toEqual([]);
      expect(pathsOf(secrets.image.tokens)).toEqual([]);
      for (const [a, b] of [
        [secrets.one, secrets.two],
        [secrets.one, secrets.image],
        [secrets.two, secrets.image],
      ] as const) {
        expect(shared(a.keys, b.keys)).toEqual([]);
        expect(shared(a.tokens, b.tokens)).toEqual([]);
        // etcd's log of what was deleted before there was an image; certificates are public
        const elsewhere = shared(a.certificates, b.certificates).filter(
          (path) => !path.startsWith("/var/lib/etcd/member/wal/"),
        );
        expect(elsewhere).toEqual([]);
      }
    });

    test("holds nothing else of the cluster that was baked", () => {
      const inNode = (...command: readonly string[]) => docker("exec", nodeOf(one), ...command);
      const name = inNode("cat", "/kind/tilt-ci/cluster");
      expect(name).toMatch(/^tci-/);
      const places = ["/etc", "/kind", "/root", "/opt", "/home", "/tmp", "/var"];
      const images = ["store", "io.containerd.snapshotter.v1.overlayfs"];
      const excludes = images.map((directory) => `--exclude-dir=${directory}`);
      const files = inNode("grep", "-rlF", ...excludes, "-e", name, ...places).split("\n");
      // etcd's write-ahead log, which docs/baked-nodes.md tells of, and etcd's words when it reads it
      const known = /^\/var\/(lib\/etcd\/member\/wal|log\/pods\/kube-system_etcd-[^/]*\/etcd)\//;
      const others = files.filter((file) => !known.test(file));
      expect(others).toEqual(["/kind/tilt-ci/cluster"]);
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
      kubectl(one.cluster, "create", "deployment", "stays", `--image=${pauseImage()}`);
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

  const harms: readonly (readonly [how: string, command: string, reason: RegExp])[] = [
    [
      "ends as it begins",
      String.raw`printf '#!/bin/sh\necho this baked node is broken\nexit 1\n' >/kind/tilt-ci/start`,
      /: The node \S+ has ended: this baked node is broken$/,
    ],
    [
      "cannot be given its name",
      "rm /etc/kubernetes/manifests/etcd.yaml",
      /: The node \S+ has ended: .*etcd\.yaml/,
    ],
    [
      "never has an API server",
      "echo >/etc/kubernetes/manifests/etcd.yaml",
      /: it is not ready after 60 s$/,
    ],
  ];

  test.each(FULL ? harms : harms.slice(0, 1))(
    "is made by kind, with one warning, where the baked node %s",
    async (_, harm, reason) => {
      const broken = `${tag}-broken`;
      const dockerfile = `FROM ${tag}\nRUN ${harm}\n`;
      execFileSync("docker", ["build", "--quiet", "--tag", broken, "-"], { input: dockerfile });
      try {
        const started = await start(auto);
        expect(started.warnings).toEqual([expect.stringMatching(reason)]);
        expect(started.warnings[0]).toMatch(/^The cluster does not start from a baked node, kind /);
        expect(started.steps).toContain("Starting control-plane");
        atRest(started);
        await remove(started);
      } finally {
        docker("image", "rm", "--force", broken);
      }
    },
  );

  test.skipIf(!FULL)("is made by kind, with one warning, where its node is killed", async () => {
    const started = await start(auto, {
      onStep: (step: string, node: string) => step === "baked node" && docker("kill", node),
    });
    expect(started.warnings).toEqual([
      expect.stringMatching(/^The cluster does not start from a baked node, kind makes it: /),
    ]);
    expect(started.steps).toContain("Starting control-plane");
    await remove(started);
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

  test.skipIf(!FULL)(
    "always is made by kind, with one warning, where it cannot be baked",
    async () => {
      const other = join(dir, "two.yaml");
      writeFileSync(
        other,
        `${kindConfig.split("nodes:")[0]}nodes: [{ role: control-plane }, { role: worker }]\n`,
      );
      const started = await start({ ...auto, mode: "always" }, { kindConfigFile: other });
      expect(started.warnings).toEqual([expect.stringContaining("it has more than one node")]);
      expect(await started.cluster.nodes).toHaveLength(2);
      await remove(started);
    },
  );

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
