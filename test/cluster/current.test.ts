import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { chartProject } from "./chart-project.ts";
import { kubectl, removeShared, SHARED, SHARED_CLUSTER, tiltCi } from "./tilt-ci.ts";

const CONTEXT = `kind-${SHARED_CLUSTER}`;
const state = process.env.XDG_STATE_HOME ?? join(homedir(), ".local/state");
const kubeconfig = join(state, "tilt-ci/reuse", SHARED_CLUSTER, "kubeconfig");

const TILTFILE = `
docker_build('current-app', '.', dockerfile_contents='FROM busybox\\nRUN echo ' + os.getenv('SALT', 'x') + ' > /salt')
k8s_yaml('app.yaml')
`;
const APP = `
apiVersion: v1
kind: ConfigMap
metadata: { name: current-app }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: current-app }
spec:
  selector: { matchLabels: { app: current-app } }
  template:
    metadata: { labels: { app: current-app } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: app, image: current-app, command: [sleep, "3600"] }]
`;

const SERVED_TILTFILE = `
docker_build('served-app', '.', dockerfile_contents='FROM busybox\\nRUN mkdir /www && echo hello > /www/index.html')
k8s_yaml('app.yaml')
k8s_resource('asks-once', resource_deps=['served'])
`;
/** A Job that fails for good when its one request meets nobody. */
const SERVED = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: served }
spec:
  selector: { matchLabels: { app: served } }
  template:
    metadata: { labels: { app: served } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - { name: app, image: served-app, command: [httpd, -f, -p, "8080", -h, /www] }
---
apiVersion: v1
kind: Service
metadata: { name: served }
spec: { selector: { app: served }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: batch/v1
kind: Job
metadata: { name: asks-once }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - { name: app, image: served-app, command: [wget, -q, -T, "5", -O, "-", "http://served/"] }
`;

let dir: string;
const ci = (args: readonly string[], env: Record<string, string> = {}) =>
  tiltCi("ci", args, { cwd: dir, env: { KUBECONFIG: kubeconfig, ...env } });
const applied = () => kubectl(["get", "deployments,configmaps", "--output", "name"]).split("\n");
const image = () => kubectl(["get", "deployment", "current-app", "--output", "jsonpath={..image}"]);

describe.skipIf(!clusterAvailable())("a cluster that is already there", () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tci-current-"));
    writeFileSync(join(dir, "Tiltfile"), TILTFILE);
    writeFileSync(join(dir, "app.yaml"), APP);
    const { code } = await tiltCi("ci", [...SHARED, "-f", join(dir, "Tiltfile")], { cwd: dir });
    expect(code).toBe(0);
    kubectl(["delete", "--ignore-not-found", "deployment/current-app", "configmap/current-app"]);
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    expect((await removeShared()).code).toBe(0);
  });

  test("is used by --cluster current with the registry that it announces, and keeps what was applied", async () => {
    const { code, stdout, report } = await ci(["--cluster", "current"]);
    expect(stdout).toContain("SUCCESS. All workloads are healthy.");
    expect(code).toBe(0);
    expect(report?.verdict).toBe("passed");
    expect(image()).toMatch(
      new RegExp(`^${SHARED_CLUSTER}-registry:5000/current-app:tilt-[0-9a-f]{16}$`),
    );
    expect(applied()).toEqual(
      expect.arrayContaining(["deployment.apps/current-app", "configmap/current-app"]),
    );
  });

  test("is implied by --context, and --cleanup deletes what was applied", async () => {
    const { code } = await ci(["--context", CONTEXT, "--cleanup"]);
    expect(code).toBe(0);
    expect(applied().filter((name) => name.includes("current-app"))).toEqual([]);
  });

  test("has a Service lead to its pods before what depends on them begins", async () => {
    const project = mkdtempSync(join(tmpdir(), "tci-current-"));
    writeFileSync(join(project, "Tiltfile"), SERVED_TILTFILE);
    writeFileSync(join(project, "app.yaml"), SERVED);
    const env = { KUBECONFIG: kubeconfig };
    const args = ["--cluster", "current", "--cleanup"];
    const { code, stdout, report } = await tiltCi("ci", args, { cwd: project, env });
    rmSync(project, { recursive: true });
    expect(stdout).toContain("SUCCESS. All workloads are healthy.");
    expect(code).toBe(0);
    expect(report?.resources.map(({ name, status }) => [name, status])).toEqual(
      expect.arrayContaining([
        ["served", "passed"],
        ["asks-once", "passed"],
      ]),
    );
  });

  test("gets a chart from an extension's apply command, and --cleanup runs its delete command", async () => {
    const project = chartProject();
    const releases = () =>
      kubectl(["get", "secrets", "--selector", "owner=helm", "--output", "name"]);
    const env = { KUBECONFIG: kubeconfig };
    const { code, report, stdout } = await tiltCi("ci", ["--cluster", "current"], {
      cwd: project,
      env,
    });
    expect(stdout).toContain("SUCCESS. All workloads are healthy.");
    expect(code).toBe(0);
    expect(report?.resources.find(({ name }) => name === "chart-app")).toMatchObject({
      type: "custom",
      status: "passed",
      position: { file: expect.stringMatching(/Tiltfile$/), line: 4 },
    });
    const path = ["deployment", "chart-app", "--output", "jsonpath={..image}"];
    expect(kubectl(["get", ...path])).toMatch(
      new RegExp(`^${SHARED_CLUSTER}-registry:5000/registry.example_team_chart-app:tilt-\\w{16}$`),
    );
    expect(releases()).toContain("chart-app");
    const again = await tiltCi("ci", ["--cluster", "current", "--cleanup"], { cwd: project, env });
    rmSync(project, { recursive: true });
    expect(again.code).toBe(0);
    expect(releases()).toBe("");
    expect(applied().filter((name) => name.includes("chart-app"))).toEqual([]);
  });

  test("gets images loaded into its nodes when it announces no registry", async () => {
    const hosting = ["configmap", "local-registry-hosting", "--namespace", "kube-public"];
    const before = kubectl(["get", ...hosting, "--output", "json"]);
    kubectl(["delete", ...hosting]);
    try {
      const { code, stdout } = await ci(["--cluster", "current", "--cleanup"], {
        SALT: String(Date.now()),
      });
      expect(stdout).toContain("announces no registry");
      expect(code).toBe(0);
    } finally {
      const { metadata, ...rest } = JSON.parse(before);
      const { name, namespace } = metadata;
      const again = JSON.stringify({ ...rest, metadata: { name, namespace } });
      kubectl(["create", "--filename", "-"], again);
    }
  });

  describe("under a name that could be production's", () => {
    let production: string;
    beforeAll(() => {
      production = join(dir, "production.yaml");
      writeFileSync(
        production,
        readFileSync(kubeconfig, "utf8").replaceAll(CONTEXT, "gke_shop_europe_prod"),
      );
    });

    test("is refused before anything happens, with what to write", async () => {
      const { code, stderr, report } = await ci(["--cluster", "current"], {
        KUBECONFIG: production,
      });
      expect(code).toBe(2);
      expect(stderr).toContain("Stop! gke_shop_europe_prod might be production.");
      expect(stderr).toContain("allow_k8s_contexts('gke_shop_europe_prod')");
      expect(report?.verdict).toBe("error");
      expect(applied().filter((name) => name.includes("current-app"))).toEqual([]);
    });

    test("is used when the Tiltfile allows it", async () => {
      writeFileSync(
        join(dir, "Allowed"),
        `allow_k8s_contexts('gke_shop_europe_prod')\n${TILTFILE}`,
      );
      const { code } = await ci(["-f", "Allowed", "--cluster", "current", "--cleanup"], {
        KUBECONFIG: production,
      });
      expect(code).toBe(0);
    });
  });

  test("is a broken environment when nobody answers there", async () => {
    const nobody = join(dir, "nobody.yaml");
    const text = readFileSync(kubeconfig, "utf8");
    writeFileSync(nobody, text.replace(/server: .*/, "server: https://127.0.0.1:9"));
    const { code, stderr, durationMs } = await ci(["--cluster", "current"], { KUBECONFIG: nobody });
    expect(code).toBe(3);
    expect(stderr).toContain(`Cannot use context "${CONTEXT}": API server https://127.0.0.1:9`);
    expect(durationMs).toBeLessThan(30_000);
  });

  test("is bad input when the kubeconfig has no such context", async () => {
    const { code, stderr } = await ci(["--context", "nope"]);
    expect(code).toBe(2);
    expect(stderr).toContain('The kubeconfig has no context "nope"');
  });
});
