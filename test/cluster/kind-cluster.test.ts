import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  acquireReuse,
  type ClusterLease,
  createRunId,
  down,
  MIRROR_PREFIX,
  openRecord,
  type RegistryAddress,
  type RunRecord,
  startKindCluster,
  startRegistry,
  teardown,
} from "../../src/cluster/index.ts";
import type { Host } from "../../src/host/host.ts";
import { createHost } from "../../src/host/node-host.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { pauseImage } from "../rig/pause-image.ts";
import { danglingVolumes, expectNoNewVolumes } from "../stub-node/leftovers.ts";
import { isWarm, warmOption } from "./warm.ts";

const pod = (name: string, image: string, pull: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name, image, imagePullPolicy: pull, command: ["sleep", "3600"] }],
    },
  });

describe.skipIf(!clusterAvailable())("a real kind cluster", () => {
  let dir: string;
  let host: Host;
  const docker = (...args: readonly string[]) =>
    execFileSync("docker", [...args], { encoding: "utf8" }).trim();
  const kubectl = (kubeconfig: string, args: readonly string[], input?: string) =>
    execFileSync("kubectl", ["--kubeconfig", kubeconfig, ...args], {
      encoding: "utf8",
      env: { ...process.env, PATH: rigEnv().path },
      ...(input === undefined ? {} : { input }),
    });

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "tci-real-"));
    host = createHost({ env: { ...process.env, PATH: rigEnv().path }, cwd: dir });
    return () => rmSync(dir, { recursive: true });
  });

  describe("of one run", () => {
    let record: RunRecord;
    let cluster: ClusterLease;
    let address: RegistryAddress;
    let volumes: readonly string[];
    const steps: string[] = [];

    beforeAll(async () => {
      volumes = danglingVolumes();
      const run = createRunId();
      record = await openRecord(dir, run, host);
      const registry = startRegistry({ record, clusterName: run }, host);
      const kubeconfig = join(dir, "kubeconfig");
      const nodeImage = rigEnv().nodeImage;
      const warm = warmOption(host, dir, nodeImage);
      cluster = startKindCluster(
        { record, name: run, kubeconfig, nodeImage, registry, warm },
        host,
        { onStep: (name) => steps.push(name) },
      );
      address = await registry.ready;
      await cluster.apiReady;
    });

    afterAll(async () => {
      expect(await teardown(record, host)).toEqual({ failures: [] });
      expect(docker("ps", "--all", "--quiet", "--filter", `name=${cluster.name}`)).toBe("");
      await expectNoNewVolumes(volumes);
    });

    test("is made by kind, or from a baked node where all tests are run on these", () => {
      expect(steps.includes("baked node")).toBe(isWarm);
    });

    test("leads pods to the API server before kube-proxy does", () => {
      const rules = docker("exec", `${cluster.name}-control-plane`, "iptables-save", "-t", "nat");
      const ours = /^-A PREROUTING -d 10\.96\.0\.1\/32 .* --to-destination [\d.]+:6443$/m.exec(
        rules,
      );
      expect(ours).not.toBeNull();
      // kube-proxy puts its own before it, sooner or later
      const theirs = rules.indexOf(
        '-A PREROUTING -m comment --comment "kubernetes service portals"',
      );
      expect(theirs).toBeLessThan(ours!.index);
    });

    test("runs images from its registry under every name, and imported ones", async () => {
      const { host: push, hostFromContainerRuntime: pull } = address;
      const mirrored = `${push}/${MIRROR_PREFIX}/docker.io/library/only-here:1`;
      for (const tag of [`${push}/app:1`, `${push}/app:2`, mirrored]) {
        docker("tag", "busybox:latest", tag);
        docker("push", "--quiet", tag);
        docker("rmi", tag);
      }
      docker("tag", "busybox:latest", "tci-imported:1");
      await cluster.importArchive(async function* () {
        yield execFileSync("docker", ["save", "tci-imported:1"], { maxBuffer: 1 << 26 });
      });
      docker("rmi", "tci-imported:1");
      await cluster.pull({ ref: `${pull}/app:1` });
      const pods = [
        pod("prefetched", `${pull}/app:1`, "Never"),
        pod("by-localhost", `${push}/app:2`, "Always"),
        pod("by-own-name", "only-here:1", "Always"),
        pod("imported", "docker.io/library/tci-imported:1", "Never"),
      ];
      await cluster.settled;
      // a bare Pod needs the ServiceAccount, which comes a moment after the API
      await expect
        .poll(() => kubectl(cluster.kubeconfig, ["get", "serviceaccounts", "-o", "name"]), {
          timeout: 30_000,
        })
        .toContain("serviceaccount/default");
      kubectl(cluster.kubeconfig, ["create", "-f", "-"], pods.join("\n---\n"));
      kubectl(cluster.kubeconfig, [
        "wait",
        "--for=condition=Ready",
        "pods",
        "--all",
        "--timeout=90s",
      ]);
    });

    test("says what cannot be pulled", async () => {
      const ref = `${address.hostFromContainerRuntime}/nothing:1`;
      await expect(cluster.pull({ ref: ref })).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(new RegExp(`^Cannot pull ${ref} into a node: .*not found`)),
      });
    });

    test("has the kubelet and controllers set up for one run", () => {
      const node = `${cluster.name}-control-plane`;
      const { kubeletconfig } = JSON.parse(
        kubectl(cluster.kubeconfig, ["get", "--raw", `/api/v1/nodes/${node}/proxy/configz`]),
      );
      expect(kubeletconfig).toMatchObject({
        containerLogMaxSize: "200Mi",
        serializeImagePulls: false,
      });
      const manager = docker(
        "exec",
        node,
        "cat",
        "/etc/kubernetes/manifests/kube-controller-manager.yaml",
      );
      expect(manager).toContain("--leader-elect=false");
      expect(manager).toContain("--kube-api-qps=300");
      expect(manager).toContain("--enable-hostpath-provisioner=true"); // kind's own is kept
    });

    test("has kube-proxy program changes at once", async () => {
      const url = "http://127.0.0.1:10249/configz";
      await expect
        .poll(() => docker("exec", `${cluster.name}-control-plane`, "curl", "--silent", url), {
          timeout: 30_000,
        })
        .toContain('"MinSyncPeriod":"100ms"');
    });

    test("answers DNS before CoreDNS's slow probe says so", () => {
      const dns = ["get", "service", "kube-dns", "--namespace", "kube-system"];
      const path = "{.spec.publishNotReadyAddresses}";
      expect(kubectl(cluster.kubeconfig, [...dns, "-o", `jsonpath=${path}`])).toBe("true");
    });

    test("exports its logs", async () => {
      const logs = join(dir, "logs");
      await cluster.exportLogs(logs);
      expect(execFileSync("find", [logs, "-name", "kubelet.log"], { encoding: "utf8" })).toContain(
        cluster.name,
      );
      rmSync(logs, { recursive: true });
    });
  });

  test("a reused one takes work again after its machine was restarted", async () => {
    const name = `real-${createRunId().slice(4)}`;
    const nodeImage = rigEnv().nodeImage;
    async function use(job: string): Promise<{ took: number; attached: boolean }> {
      const reuse = await acquireReuse(name, dir, host);
      const record = await openRecord(dir, createRunId(), host);
      const { clusterName } = reuse;
      const registry = startRegistry({ record, clusterName, reuse: true }, host);
      const kubeconfig = join(dir, "reused");
      const warm = warmOption(host, dir, nodeImage);
      const options = { record, name: clusterName, kubeconfig, nodeImage, registry, reuse, warm };
      const startedAt = performance.now();
      const cluster = startKindCluster(options, host);
      await cluster.apiReady;
      const took = performance.now() - startedAt;
      const attached = await cluster.attached;
      await cluster.settled;
      kubectl(kubeconfig, ["create", "deployment", job, `--image=${pauseImage()}`]);
      kubectl(kubeconfig, ["rollout", "status", `deployment/${job}`, "--timeout=90s"]);
      expect(await teardown(record, host)).toEqual({ failures: [] });
      await reuse.release();
      return { took, attached };
    }
    const first = await use("one");
    const second = await use("two");
    expect(second.took).toBeLessThan(first.took);
    expect([first.attached, second.attached]).toEqual([false, true]);
    docker("stop", "--time", "1", `tci-${name}-control-plane`, `tci-${name}-registry`);
    // its nodes have to come up first
    expect((await use("three")).attached).toBe(false);
    const result = await down({ stateDir: dir, run: `tci-${name}` }, host);
    expect(result).toMatchObject({ removed: [`tci-${name}`], failures: [] });
    expect(docker("ps", "--all", "--quiet", "--filter", `name=tci-${name}`)).toBe("");
  });
});
