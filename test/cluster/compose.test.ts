import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { tiltCi } from "./tilt-ci.ts";

const docker = (...args: string[]) => execFileSync("docker", args, { encoding: "utf8" });

let dir: string;
let project: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tci-compose-"));
  project = basename(dir).toLowerCase();
});
afterEach(() => {
  rmSync(dir, { recursive: true });
  expect(left()).toEqual([]);
});

/** What Docker has of the test's project. */
function left(): string[] {
  const filter = `label=com.docker.compose.project=${project}`;
  return [
    docker("ps", "--all", "--filter", filter, "--format", "container {{.Names}}"),
    docker("volume", "ls", "--filter", filter, "--format", "volume {{.Name}}"),
    docker("network", "ls", "--filter", filter, "--format", "network {{.Name}}"),
  ]
    .flatMap((text) => text.split("\n"))
    .filter((line) => line !== "");
}

function write(services: string, tiltfile = ""): void {
  writeFileSync(join(dir, "compose.yaml"), `services:\n${services}`);
  writeFileSync(
    join(dir, "Tiltfile"),
    `docker_compose('compose.yaml', project_name='${project}')\n${tiltfile}`,
  );
}

const run = (args: readonly string[] = [], onOutput?: Parameters<typeof tiltCi>[2]["onOutput"]) =>
  tiltCi("ci", args, { cwd: dir, ...(onOutput ? { onOutput } : {}) });

describe.skipIf(!clusterAvailable())("a Compose stack", () => {
  test("starts in the order of its conditions, shows its logs, and is gone at the end", async () => {
    docker(
      "volume",
      "create",
      "--label",
      `com.docker.compose.project=${project}`,
      `${project}_old`,
    );
    write(`
  web:
    image: busybox
    command: [sh, -c, "echo web sees $$(cat /data/ready); sleep 600"]
    volumes: [data:/data]
    depends_on:
      db: { condition: service_healthy }
      setup: { condition: service_completed_successfully }
  setup:
    image: busybox
    command: [sh, -c, "sleep 1; echo schema > /data/ready; echo set up"]
    volumes: [data:/data]
  db:
    image: busybox
    command: [sh, -c, "sleep 1; touch /tmp/up; sleep 600"]
    healthcheck: { test: [CMD, test, -f, /tmp/up], interval: 500ms, retries: 40 }
volumes:
  data: {}
`);
    const { code, stdout, report } = await run();
    expect(stdout).toContain("web │ web sees schema");
    expect(stdout).toContain("setup │ set up");
    expect(code).toBe(0);
    const phase = (name: string, wanted: string) =>
      report!.resources.find((r) => r.name === name)!.phases.find((p) => p.name === wanted)!;
    for (const before of ["db", "setup"]) {
      const ready = phase(before, "ready");
      expect(Date.parse(phase("web", "deploy").startedAt!)).toBeGreaterThanOrEqual(
        Date.parse(ready.startedAt!) + ready.durationMs! - 5,
      );
    }
    expect(left()).toEqual([`volume ${project}_old`]); // from before the run
    docker("volume", "rm", `${project}_old`);
  });

  test("names the service that fails, with its last words", async () => {
    write(`
  db:
    image: busybox
    command: [sh, -c, "echo no space left; exit 3"]
  web: { image: busybox, command: [sleep, "600"], depends_on: [db] }
`);
    const { code, stderr, report } = await run();
    expect(code).toBe(1);
    expect(report?.firstCause).toMatchObject([{ resource: "db", phase: "ready" }]);
    expect(stderr).toContain("compose service db exited with status 3");
    expect(stderr).toContain("│ no space left");
    expect(report?.resources.find(({ name }) => name === "web")).toMatchObject({
      phases: [{ skipReason: "blocked by db: ready" }, { skipReason: "blocked by db: ready" }],
    });
  });

  test("builds what Compose builds as builds: at once, and told under their phase", async () => {
    writeFileSync(join(dir, "Dockerfile"), "FROM busybox\nRUN echo built > /made\n");
    write(`
  db:
    image: busybox
    command: [sh, -c, "sleep 2; touch /tmp/up; sleep 600"]
    healthcheck: { test: [CMD, test, -f, /tmp/up], interval: 500ms, retries: 40 }
  web:
    build: .
    image: ${project}-made
    command: [sh, -c, "cat /made; sleep 600"]
    depends_on: { db: { condition: service_healthy } }
  worker: { image: ${project}-made, command: [sleep, "600"] }
`);
    const { code, stdout, report } = await run();
    docker("rmi", "--force", `${project}-made`);
    expect(code).toBe(0);
    expect(stdout).toContain("web │ built");
    const phasesOf = (name: string) => report!.resources.find((r) => r.name === name)!.phases;
    const [build] = phasesOf("web");
    expect(build).toMatchObject({ name: "build", subject: `${project}-made`, status: "passed" });
    const dbReady = phasesOf("db").find(({ name }) => name === "ready")!;
    expect(Date.parse(build!.startedAt!)).toBeLessThan(
      Date.parse(dbReady.startedAt!) + dbReady.durationMs,
    );
    expect(phasesOf("worker").map(({ name }) => name)).toEqual(["deploy", "ready"]);
  });

  test("keeps its reports out of what Compose builds, and out of the builder's cache", async () => {
    writeFileSync(join(dir, "Dockerfile"), "FROM busybox\nCOPY . /context\n");
    writeFileSync(join(dir, ".dockerignore"), "secret\n");
    writeFileSync(join(dir, "secret"), "");
    write(`
  web:
    build: .
    image: ${project}-made
    command: [sh, -c, "ls -A /context; sleep 600"]
`);
    for (const cached of [undefined, true]) {
      const { code, stdout, report } = await run(["--report-dir", "tilt-ci-report"]);
      expect(code).toBe(0);
      const seen = [...stdout.matchAll(/^ +web │ (\S+)$/gm)].map(([, name]) => name);
      expect(seen).toEqual([".dockerignore", "Dockerfile", "Tiltfile", "compose.yaml"]);
      const [build] = report!.resources.find(({ name }) => name === "web")!.phases;
      expect(build).toMatchObject({ name: "build", status: "passed" });
      expect(build?.cached).toBe(cached);
    }
    docker("rmi", "--force", `${project}-made`);
  });

  test("tells a failed build of Compose's with its step, under the service", async () => {
    writeFileSync(join(dir, "Dockerfile"), "FROM busybox\nRUN echo no rule to make it; exit 2\n");
    write(`
  web: { build: ., image: ${project}-made }
  worker: { image: ${project}-made, command: [sleep, "600"] }
`);
    const { code, stderr, report } = await run();
    expect(code).toBe(1);
    expect(report?.firstCause).toMatchObject([
      { resource: "web", phase: "build", subject: `${project}-made`, code: "BuildFailed" },
    ]);
    expect(stderr).toContain("no rule to make it");
    expect(report?.resources.find(({ name }) => name === "worker")).toMatchObject({
      role: "blocked",
      causedBy: [{ resource: "web", phase: "build" }],
    });
  });

  test("fails a service whose healthcheck fails, with what that said", async () => {
    write(`
  db:
    image: busybox
    command: [sleep, "600"]
    healthcheck: { test: "echo no listener; exit 1", interval: 300ms, retries: 2 }
`);
    const { code, report } = await run();
    expect(code).toBe(1);
    const { failure } = report!.resources.find(({ name }) => name === "db")!.phases.at(-1)!;
    expect(failure).toMatchObject({
      code: "ProbeFailed",
      message: "compose service db: its healthcheck fails: no listener",
    });
  });

  test("takes a service that runs for good as tilt ci does, if so asked", async () => {
    write(`
  db:
    image: busybox
    command: [sleep, "600"]
    healthcheck: { test: "exit 1", interval: 300ms, retries: 2 }
`);
    expect((await run(["--semantics", "tilt"])).code).toBe(0);
  });

  test("fails a service that is restarted again and again", async () => {
    write(`
  worker:
    image: busybox
    command: [sh, -c, "echo attempt; exit 4"]
    restart: always
  other: { image: busybox, command: [sleep, "600"], depends_on: [worker] }
`);
    const { code, report, stdout } = await run(["--timeout", "1m"]);
    expect(code).toBe(1);
    expect(report?.firstCause).toMatchObject([{ resource: "worker", phase: "ready" }]);
    expect(stdout.match(/worker │ attempt/g)!.length).toBeGreaterThanOrEqual(1);
  });

  test("has its port taken by a container", async () => {
    const name = `${project}-holder`;
    docker(
      "run",
      "--detach",
      "--name",
      name,
      "--publish",
      "127.0.0.1:0:80",
      "busybox",
      "sleep",
      "600",
    );
    try {
      const port = docker("port", name, "80").trim().split(":").at(-1);
      write(
        `  web: { image: busybox, command: [sleep, "600"], ports: ["127.0.0.1:${port}:80"] }\n`,
      );
      const { code, report } = await run();
      expect(code).toBe(1);
      expect(report!.resources.find((r) => r.name === "web")!.phases[0]!.failure).toMatchObject({
        code: "PortTaken",
      });
    } finally {
      docker("rm", "--force", name);
    }
  });

  test("is removed by down after the program was killed", async () => {
    write(
      `  web: { image: busybox, command: [sh, -c, "echo up; sleep 600"] }\n`,
      "local_resource('slow', 'sleep 66', allow_parallel=True)",
    );
    let id = "";
    await run([], (text, kill) => {
      if (id !== "" || !text.includes("web │ up")) return;
      id = /run (tci-\w+)/.exec(text)![1]!;
      kill("SIGKILL");
    });
    expect(left()).not.toEqual([]);
    const { code } = await tiltCi("down", [id], { cwd: dir });
    expect(code).toBe(0);
  });

  test("is removed when the run is cancelled in the middle of its start", async () => {
    write(
      `  web: { image: busybox, command: [sleep, "600"] }\n  db: { image: busybox, command: [sleep, "600"] }\n`,
    );
    let sent = false;
    const { code } = await run([], (text, kill) => {
      if (sent || !/Container \S+ {2}Creating/.test(text)) return;
      sent = true;
      kill("SIGTERM");
    });
    expect(code).toBe(143);
  });

  test("stays with --keep until down", async () => {
    write(`  web: { image: busybox, command: [sleep, "600"] }\n`);
    const { code, stdout } = await run(["--keep"]);
    expect(code).toBe(0);
    expect(left()).toContain(`container ${project}-web-1`);
    const id = /tilt-ci down (tci-\w+)/.exec(stdout)![1]!;
    expect((await tiltCi("down", [id], { cwd: dir })).code).toBe(0);
  });

  test("is left alone where it stood before", async () => {
    write(`  web: { image: busybox, command: [sleep, "600"] }\n`);
    const compose = ["compose", "--project-name", project, "--project-directory", dir];
    docker(...compose, "--progress", "quiet", "up", "--detach");
    const { code, stdout } = await run();
    expect(code).toBe(0);
    expect(stdout).toContain("has containers from before this run");
    expect(left()).toContain(`container ${project}-web-1`);
    docker(...compose, "--progress", "quiet", "down", "--timeout", "0");
  });
});
