import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  acquireReuse,
  type BringUpHooks,
  type ClusterLease,
  createRunId,
  down,
  openRecord,
  type RegistryLease,
  type RunRecord,
  startKindCluster,
  startRegistry,
  teardown,
} from "../../src/cluster/index.ts";
import { CancelledError } from "../../src/errors.ts";
import { createHost } from "../../src/host/node-host.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { buildStubNode } from "../stub-node/build.ts";
import { danglingVolumes, expectNoNewVolumes, leftoversOf } from "../stub-node/leftovers.ts";

const FULL = process.env.TILT_CI_TEST_FULL === "1";

/** The real kind CLI with a node image without Kubernetes: what is created, killed and removed is real, but cheap. */
describe.skipIf(!clusterAvailable())("a cluster's life", () => {
  let dir: string;
  let network: string;
  let env: Record<string, string>;
  const host = () => createHost({ env, cwd: dir });

  beforeAll(() => {
    env = { ...(process.env as Record<string, string>), PATH: rigEnv().path };
    process.env.PATH = env.PATH;
  });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tci-life-"));
    // a network of its own: whether it is removed can be seen, whoever else uses kind's
    network = `tci-net-${createRunId().slice(4)}`;
    env.KIND_EXPERIMENTAL_DOCKER_NETWORK = network;
    return () => rmSync(dir, { recursive: true, force: true });
  });

  interface Started {
    readonly record: RunRecord;
    readonly cluster: ClusterLease;
    readonly registry: RegistryLease;
    readonly steps: string[];
    readonly retries: string[];
  }

  async function start(nodeImage: string, signal?: AbortSignal, extra = {}): Promise<Started> {
    const run = createRunId();
    const record = await openRecord(dir, run, host());
    const steps: string[] = [];
    const retries: string[] = [];
    const hooks: BringUpHooks = {
      onStep: (name) => steps.push(name),
      onRetry: ({ message }) => retries.push(message),
    };
    const registry = startRegistry({ record, clusterName: run, signal }, host(), hooks);
    const kubeconfig = join(dir, `${run}.kubeconfig`);
    const options = { record, name: run, kubeconfig, nodeImage, registry, signal, ...extra };
    return { record, registry, steps, retries, cluster: startKindCluster(options, host(), hooks) };
  }

  async function remove({ record, cluster }: Started): Promise<void> {
    expect(await teardown(record, host())).toEqual({ failures: [] });
    expect(leftoversOf(cluster.name, network)).toEqual([]);
    expect(readdirSync(dir).filter((name) => name !== "runs")).toEqual([]);
    expect(readdirSync(join(dir, "runs"))).toEqual([]);
  }

  test("comes up with its registry wired into the node, and leaves nothing", async () => {
    const volumes = danglingVolumes();
    const started = await start(buildStubNode("ok"));
    const { cluster, registry, steps } = started;
    const { host: registryHost, hostFromContainerRuntime } = await registry.ready;
    expect((await fetch(`http://${registryHost}/v2/`)).status).toBe(200);
    await Promise.all([cluster.nodes, cluster.apiReady, cluster.created, cluster.settled]);
    expect(await cluster.nodes).toEqual([`${cluster.name}-control-plane`]);
    expect(statSync(cluster.kubeconfig).mode & 0o777).toBe(0o600);
    expect(readFileSync(cluster.kubeconfig, "utf8")).toContain("server: https://127.0.0.1:");
    await cluster.pull({ ref: `${hostFromContainerRuntime}/app:1` });
    const inNode = (...args: readonly string[]) =>
      execFileSync("docker", ["exec", `${cluster.name}-control-plane`, ...args], {
        encoding: "utf8",
      });
    const hosts = inNode("cat", `/etc/containerd/certs.d/${registryHost}/hosts.toml`);
    expect(hosts).toContain(`[host."http://${hostFromContainerRuntime}"]`);
    expect(inNode("cat", "/var/lib/stub/ctr.log")).toContain(
      `images pull --hosts-dir /etc/containerd/certs.d ${hostFromContainerRuntime}/app:1`,
    );
    expect(inNode("getent", "hosts", registry.name)).toContain(registry.name);
    expect(steps).toEqual(
      expect.arrayContaining([
        "registry",
        "Preparing nodes",
        "containerd and registry",
        "API server",
        "nodes ready",
      ]),
    );
    await remove(started);
    await expectNoNewVolumes(volumes);
  });

  test("teardown() twice finds nothing the second time", async () => {
    const started = await start(buildStubNode("ok"));
    await started.cluster.settled;
    await remove(started);
    expect(await teardown(started.record, host())).toEqual({ failures: [] });
  });

  test("two clusters made at once share the network, which the last one takes along", async () => {
    const image = buildStubNode("ok");
    const started = await Promise.all([start(image), start(image)]);
    await Promise.all(started.map(({ cluster }) => cluster.settled));
    await teardown(started[0].record, host());
    expect(leftoversOf(started[0].cluster.name, network)).toEqual([`network ${network}`]);
    await remove(started[1]);
  });

  test("that kubeadm cannot start is told at once, with logs to be had", async () => {
    const started = await start(buildStubNode("init-fails"));
    const { cluster, retries } = started;
    await expect(cluster.created).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(`Cannot create the cluster ${cluster.name}`),
      output: expect.stringContaining("the stub was told to fail"),
    });
    await expect(cluster.apiReady).rejects.toMatchObject({ exitCode: 3 });
    expect(retries).toHaveLength(2);
    await cluster.exportLogs(join(dir, "logs")).catch(() => {});
    rmSync(join(dir, "logs"), { recursive: true, force: true });
    await remove(started);
  });

  test("a flake is tried again, twice, and told each time", async () => {
    const started = await start(buildStubNode("init-flakes"));
    await expect(started.cluster.settled).rejects.toMatchObject({ retry: true });
    expect(started.retries).toEqual([
      expect.stringContaining("control plane did not come up in time"),
      expect.stringContaining("control plane did not come up in time"),
    ]);
    await remove(started);
  });

  // kind waits half a minute before it says so
  test.runIf(FULL)(
    "a node that never says it has booted is the machine's fault, and not tried again",
    async () => {
      const started = await start(buildStubNode("silent"));
      await expect(started.cluster.created).rejects.toMatchObject({
        message: expect.stringContaining("too few inotify instances"),
        hint: expect.stringContaining("max_user_instances"),
      });
      expect(started.retries).toEqual([]);
      await remove(started);
    },
  );

  test.each(FULL ? [0, 300, 700, 1000, 1300, 1600, 2000] : [0, 1300])(
    "cancelled after %i ms leaves nothing",
    async (ms) => {
      const controller = new AbortController();
      const started = await start(buildStubNode("ok"), controller.signal);
      await delay(ms);
      controller.abort();
      const ends = await Promise.allSettled([started.cluster.settled, started.registry.ready]);
      for (const end of ends)
        if (end.status === "rejected") expect(end.reason).toBeInstanceOf(CancelledError);
      await remove(started);
    },
  );

  describe("down()", () => {
    let program: string;
    beforeAll(async () => {
      program = join(mkdtempSync(join(tmpdir(), "tci-prog-")), "bring-up.mjs");
      await build({
        entryPoints: [fileURLToPath(new URL("../stub-node/bring-up.ts", import.meta.url))],
        outfile: program,
        bundle: true,
        platform: "node",
        format: "esm",
        banner: {
          js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
        },
      });
    });
    afterAll(() => rmSync(join(program, ".."), { recursive: true }));

    function bringUp(mode: "ok" | "init-hangs") {
      const child = spawn(
        process.execPath,
        [program, dir, join(dir, "kubeconfig"), buildStubNode(mode)],
        { env, stdio: ["ignore", "pipe", "inherit"] },
      );
      let text = "";
      child.stdout.on("data", (chunk) => {
        text += chunk;
      });
      return { child, run: () => text.split("\n")[0] ?? "" };
    }

    // moments over the whole life: each cuts another step
    const moments = FULL ? { count: 12, apartMs: 250 } : { count: 2, apartMs: 1600 };
    test.each(Array.from({ length: moments.count }, (_, i) => 150 + i * moments.apartMs))(
      "removes all that a run killed after %i ms left",
      async (ms) => {
        const volumes = danglingVolumes();
        const { child, run } = bringUp("ok");
        await delay(ms);
        child.kill("SIGKILL");
        await once(child, "exit");
        const recorded = existsSync(join(dir, "runs")) ? readdirSync(join(dir, "runs")) : [];
        const result = await down({ stateDir: dir }, host());
        expect(result.failures).toEqual([]);
        expect(result.removed.map((id) => `${id}.jsonl`)).toEqual(recorded);
        await delay(1500); // what a killed docker run may still bring
        expect(leftoversOf(run() || "tci-none", network)).toEqual([]);
        expect(readdirSync(dir).filter((name) => name !== "runs")).toEqual([]);
        await expectNoNewVolumes(volumes);
      },
    );

    test("refuses a run that is alive, and ends it when forced", async () => {
      const { child, run } = bringUp("init-hangs");
      await delay(2500);
      const refused = await down({ stateDir: dir, run: run() }, host());
      expect(refused).toMatchObject({
        removed: [],
        refused: [
          { run: run(), reason: `It is still alive as process ${child.pid}: --force ends it` },
        ],
      });
      expect(leftoversOf(run(), network).length).toBeGreaterThan(2);
      const forced = await down({ stateDir: dir, run: run(), force: true }, host());
      expect(forced).toMatchObject({ removed: [run()], refused: [], failures: [] });
      expect(leftoversOf(run(), network)).toEqual([]);
    });

    test("finds a run whose record is lost by its labels", async () => {
      const started = await start(buildStubNode("ok"));
      await started.cluster.settled;
      await started.record.close();
      // the registry's label names this process, which is alive and asks for it
      const result = await down({ stateDir: dir, run: started.record.run }, host());
      expect(result).toMatchObject({ removed: [started.cluster.name], failures: [] });
      expect(leftoversOf(started.cluster.name, network)).toEqual([]);
    });
  });

  test("a reused cluster is attached to, started again after a reboot, locked, and removed by name", async () => {
    const nodeImage = buildStubNode("ok");
    const name = `life-${createRunId().slice(4)}`;
    const first = await acquireReuse(name, dir, host());
    await expect(acquireReuse(name, dir, host())).rejects.toMatchObject({
      exitCode: 3,
      message: `The cluster tci-${name} is used by another run`,
    });
    async function use(reuse: typeof first): Promise<string> {
      const record = await openRecord(dir, createRunId(), host());
      const names = { clusterName: reuse.clusterName, reuse: true };
      const registry = startRegistry({ record, ...names }, host());
      const kubeconfig = join(dir, "kubeconfig");
      const options = { record, name: reuse.clusterName, kubeconfig, nodeImage, registry, reuse };
      const cluster = startKindCluster(options, host());
      await cluster.settled;
      const id = execFileSync("docker", [
        "inspect",
        "-f",
        "{{.Id}}",
        `${cluster.name}-control-plane`,
      ]);
      await reuse.recordObjects([
        { apiVersion: "v1", kind: "ConfigMap", name: "a", namespace: "default" },
      ]);
      expect(await teardown(record, host())).toEqual({ failures: [] });
      await reuse.release();
      return String(id);
    }
    const id = await use(first);
    const second = await acquireReuse(name, dir, host());
    expect(second.objects).toEqual([
      { apiVersion: "v1", kind: "ConfigMap", name: "a", namespace: "default" },
    ]);
    expect(await use(second)).toBe(id);
    execFileSync("docker", [
      "stop",
      "-t",
      "1",
      `${first.clusterName}-control-plane`,
      `${first.clusterName}-registry`,
    ]);
    // the stub's kubeadm does not run at a restart, as a real node's kubelet does
    execFileSync("docker", ["start", `${first.clusterName}-control-plane`]);
    execFileSync("docker", [
      "exec",
      "-d",
      `${first.clusterName}-control-plane`,
      "python3",
      "/stub-api.py",
    ]);
    expect(await use(await acquireReuse(name, dir, host()))).toBe(id);
    expect(await down({ stateDir: dir, run: name }, host())).toMatchObject({
      removed: [first.clusterName],
      failures: [],
    });
    expect(leftoversOf(first.clusterName, network)).toEqual([]);
  });
});
