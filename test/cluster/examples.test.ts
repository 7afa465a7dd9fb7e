import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { example, kubectl, removeShared, SHARED, SHARED_CLUSTER, tiltCi } from "./tilt-ci.ts";

/** What there is of a run, a cluster or a Compose project on this machine by name, a line each. */
function standing(of: string): string[] {
  const docker = (...args: string[]) =>
    execFileSync("docker", args, { encoding: "utf8" }).split("\n");
  return [
    ...docker("ps", "--all", "--format", "container {{.Names}}"),
    ...docker("volume", "ls", "--format", "volume {{.Name}}"),
    ...docker("network", "ls", "--format", "network {{.Name}}"),
    ...docker("images", "--format", "image {{.Repository}}:{{.Tag}}").filter((line) =>
      /localhost:|tci-/.test(line),
    ),
  ].filter((line) => line !== "" && line.includes(of));
}

/** A project whose server tells its pod's name through a port-forward, before and after that pod is deleted. */
function replacedPod(): string {
  const dir = mkdtempSync(join(tmpdir(), "tci-forward-"));
  writeFileSync(
    join(dir, "Tiltfile"),
    `k8s_yaml('web.yaml')
k8s_resource('web', port_forwards='28468:8080')
local_resource('replace', 'python3 ask.py > before && kubectl delete pod -l app=web', resource_deps=['web'])
local_resource('ask', 'python3 ask.py $(cat before)', resource_deps=['web', 'replace'])
`,
  );
  writeFileSync(
    join(dir, "web.yaml"),
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: busybox
          imagePullPolicy: IfNotPresent
          command: [sh, -c, "mkdir /www && hostname > /www/index.html && exec httpd -f -p 8080 -h /www"]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
`,
  );
  writeFileSync(
    join(dir, "ask.py"),
    `import sys, time, urllib.request
before = sys.argv[1] if len(sys.argv) > 1 else None
end = time.time() + 30
while True:
    try:
        name = urllib.request.urlopen("http://localhost:28468/", timeout=5).read().decode().strip()
        if name != before: break
    except OSError as error:
        if time.time() > end: raise
    time.sleep(0.1)
print(f"before {before}, now {name}" if before else name)
`,
  );
  return dir;
}

describe.skipIf(!clusterAvailable())("the main job", () => {
  test("takes examples/hello from nothing to a verdict and leaves nothing behind", async () => {
    const { code, stdout, report, reports } = await tiltCi("ci", [], { cwd: example("hello") });
    expect(stdout).toContain("SUCCESS. All workloads are healthy.");
    expect(code).toBe(0);
    expect(report).toMatchObject({ verdict: "passed", exitCode: 0, firstCause: [] });
    expect(report?.resources.filter(({ status }) => status !== "passed")).toEqual([]);
    expect(report?.resources.find(({ name }) => name === "hello")).toMatchObject({
      type: "k8s",
      status: "passed",
      phases: [
        { name: "build", status: "passed" },
        { name: "push", status: "passed" },
        { name: "deploy", status: "passed" },
        { name: "ready", status: "passed" },
      ],
    });
    for (const file of ["junit.xml", "report.html", "events.ndjson"])
      expect(existsSync(join(reports, file))).toBe(true);
    expect(readFileSync(join(reports, "junit.xml"), "utf8")).toContain('name="hello: ready"');
    // The anonymous volumes are counted in kind-lifecycle.test.ts, on which no other run has an influence.
    expect(standing(report!.run.id)).toEqual([]);
  });

  describe("on a cluster that stays", () => {
    afterAll(async () => {
      const { code, stderr } = await removeShared();
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(standing(SHARED_CLUSTER)).toEqual([]);
    });

    test("runs the shop in the order of its dependencies, its smoke test last", async () => {
      const { code, report, stdout } = await tiltCi("ci", SHARED, { cwd: example("shop") });
      expect(stdout).toContain("the shop sells pears and no stones");
      expect(code).toBe(0);
      expect(report?.resources.filter(({ status }) => status !== "passed")).toEqual([]);
      const ends = (name: string) => report!.resources.find((r) => r.name === name)!.phases.at(-1)!;
      const starts = (name: string) =>
        report!.resources
          .find((r) => r.name === name)!
          .phases.find((p) => p.name === "deploy" || p.name === "command")!;
      for (const [first, then] of [
        ["db", "migrate"],
        ["migrate", "api"],
        ["api", "web"],
        ["web", "smoke"],
      ] as const) {
        const ended = Date.parse(ends(first).startedAt!) + ends(first).durationMs!;
        expect(
          Date.parse(starts(then).startedAt!),
          `${then} starts after ${first} is ready`,
        ).toBeGreaterThanOrEqual(ended - 5);
      }
    });

    test("deletes what an earlier run left before it applies its own", async () => {
      const { code, report } = await tiltCi("ci", SHARED, { cwd: example("hello") });
      expect(code).toBe(0);
      expect(report?.verdict).toBe("passed");
      expect(kubectl(["get", "deployments", "--output", "name"])).toBe("deployment.apps/hello");
    });

    test.each([
      ["helm", "demo-hello", "2"],
      ["kustomize", "staging-hello", "2"],
    ])(
      "deploys what %s renders, without waiting for the cluster to render it",
      async (name, deployment, replicas) => {
        const { code, report, stdout } = await tiltCi("ci", SHARED, { cwd: example(name) });
        expect(stdout).not.toContain("waits for the cluster");
        expect(code).toBe(0);
        expect(report?.resources.find((resource) => resource.name === deployment)).toMatchObject({
          type: "k8s",
          status: "passed",
        });
        const ready = ["--output", "jsonpath={.status.readyReplicas}"];
        expect(kubectl(["get", "deployment", deployment, ...ready])).toBe(replicas);
      },
    );

    test("runs an image that a command of the project's own has built", async () => {
      const { code, report, stdout } = await tiltCi("ci", SHARED, { cwd: example("custom-build") });
      expect(stdout).toMatch(/EXPECTED_REF=localhost:\d+\/hello-custom:tilt-build-\d+/);
      expect(code).toBe(0);
      expect(report?.resources.find(({ name }) => name === "hello-custom")?.status).toBe("passed");
      const image = kubectl(["get", "pod", "hello-custom", "--output", "jsonpath={..image}"]);
      expect(image).toContain(`${SHARED_CLUSTER}-registry:5000/hello-custom:tilt-`);
    });

    test("leads a port-forward to the next pod when one is deleted in mid-run", async () => {
      const dir = replacedPod();
      try {
        const { code, stdout, stderr } = await tiltCi("ci", SHARED, { cwd: dir });
        expect(stderr).toBe("");
        expect(code).toBe(0);
        const [, before, after] = /ask │ before (\S+), now (\S+)/.exec(stdout)!;
        expect(before).toMatch(/^web-/);
        expect(after).toMatch(/^web-/);
        expect(after).not.toBe(before);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });

    test("checks a Tiltfile without starting anything: smoke", async () => {
      const { code, stdout, report } = await tiltCi("smoke", SHARED, { cwd: example("hello") });
      expect(code).toBe(0);
      expect(stdout).toContain("SUCCESS. Tiltfile, images and objects are in order");
      expect(
        report?.resources.find(({ name }) => name === "hello")?.phases.map(({ name }) => name),
      ).toEqual(["build", "push", "deploy"]);
    });
  });
});

describe("a Tiltfile without Kubernetes", () => {
  test("creates no cluster", async () => {
    const { code, report, stdout } = await tiltCi("ci", [], { cwd: example("local-only") });
    expect(stdout).toContain("SUCCESS. All workloads are healthy.");
    expect(code).toBe(0);
    expect(
      report?.resources.some(
        ({ name }) =>
          name === "(cluster)" && report.timings.some(({ phase }) => phase === "create"),
      ),
    ).toBe(false);
  });

  test("runs what an extension adds", async () => {
    const { code, stdout } = await tiltCi("ci", [], { cwd: example("extension") });
    expect(stdout).toContain("greet-world │ hello, world");
    expect(code).toBe(0);
  });

  test.skipIf(!clusterAvailable())(
    "runs a Compose stack in the order of its conditions, and removes it",
    async () => {
      const { code, stdout, report } = await tiltCi("ci", [], { cwd: example("compose") });
      expect(stdout).toContain("setup │ prepared");
      expect(stdout).toContain("ask │ the service says: Hello from tilt-ci");
      expect(code).toBe(0);
      expect(report?.resources.filter(({ status }) => status !== "passed")).toEqual([]);
      expect(standing("tilt-ci-example")).toEqual([]);
    },
  );

  test("ends with the signal's code when it is cancelled, its processes gone", async () => {
    let sent = false;
    const { code, report } = await tiltCi("ci", ["--", "slow"], {
      cwd: example("local-only"),
      onOutput: (text, kill) => {
        if (sent || !text.includes("sleeping for 61 seconds")) return;
        sent = true;
        kill("SIGINT");
      },
    });
    expect(code).toBe(130);
    expect(report).toMatchObject({ verdict: "cancelled", exitCode: 130 });
    expect(execFileSync("ps", ["-axo", "command="], { encoding: "utf8" })).not.toContain(
      "sleep 61",
    );
  });

  test("is left alone by down while it is alive, unless forced", async () => {
    let told: Promise<[number, string]> | undefined;
    const { code } = await tiltCi("ci", ["--", "slow"], {
      cwd: example("local-only"),
      onOutput: (text) => {
        if (told !== undefined || !text.includes("sleeping for 61 seconds")) return;
        const id = /run (tci-\w+)/.exec(text)![1]!;
        const down = (...args: string[]) => tiltCi("down", [id, ...args], { cwd: tmpdir() });
        told = down().then(async (refused) => {
          await down("--force");
          return [refused.code, refused.stdout];
        });
      },
    });
    expect(code).toBe(143);
    const [refused, text] = (await told)!;
    expect(refused).toBe(2);
    expect(text).toContain("It is still alive as process");
  });
});
