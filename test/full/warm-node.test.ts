import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRunId } from "../../src/cluster/index.ts";
import type { RunEvent } from "../../src/model/event.ts";
import { parseEvents } from "../../src/report/events.ts";
import { Workspace } from "../action/jobs.ts";
import { EXPECTED_LISTING, LIST_COMMAND, loadLayeredImage } from "../cluster/layered-image.ts";
import { tiltCi } from "../cluster/tilt-ci.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { pauseImage } from "../rig/pause-image.ts";

/** Runs of the program with nodes that it baked, as users and the Action have them. */
describe.skipIf(!clusterAvailable())("a baked node in a registry", () => {
  const id = createRunId().slice(4);
  const layered = `tilt-ci-test/layered:${id}`;
  const workspace = new Workspace();
  let folder: string;
  let config: string;
  let registry: string;
  let baked: string;

  const docker = (...args: readonly string[]) =>
    execFileSync("docker", args, { encoding: "utf8" }).trim();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tci-warm-full-"));
    config = join(folder, "kind.yaml");
    writeFileSync(
      config,
      `kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{ role: control-plane, labels: { baked: "${id}" } }]\n`,
    );
    const { registryImage, nodeImage } = rigEnv();
    docker("run", "--detach", "--name", `tci-test-${id}`, "-p", "127.0.0.1::5000", registryImage);
    registry = docker("port", `tci-test-${id}`, "5000/tcp");
    baked = `${registry}/node:1`;
    loadLayeredImage(layered);
    const node = ["--kind-config", config, "--node-image", nodeImage];
    const images = ["--with", "busybox:latest", "--with", layered];
    const bake = ["bake", ...node, ...images, "--tag", baked, "--push"];
    const { code, stdout, stderr } = await tiltCi("node", bake, { cwd: folder });
    expect(code, stdout + stderr).toBe(0);
    docker("image", "rm", "--force", baked);
  });

  afterEach(() => {
    if (docker("image", "ls", "--quiet", baked)) docker("image", "rm", "--force", baked);
  });

  afterAll(() => {
    docker("rm", "--force", "--volumes", `tci-test-${id}`);
    docker("image", "rm", "--force", layered);
    workspace[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  /** Of a run: what it said went wrong, and when it got how far. */
  async function runOf(name: string, project: Project, args: readonly string[]) {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    for (const [file, text] of Object.entries(project)) writeFileSync(join(cwd, file), text);
    const argv = ["--kind-config", config, "--warm", "auto", ...args];
    const outcome = await tiltCi("ci", argv, { cwd });
    const events = eventsIn(outcome.reports);
    rmSync(outcome.reports, { recursive: true });
    return {
      ...outcome,
      steps: stepsOf(events),
      warnings: events.filter((event) => event.type === "warning"),
      startedAt: events[0]!.at,
    };
  }

  test("is pulled by --warm-node, and has in it what was put there", async () => {
    expect(docker("image", "ls", "--quiet", baked)).toBe("");
    const run = await runOf("pulled", podOf("busybox:latest", SLEEP), ["--warm-node", baked]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(run.warnings).toEqual([]);
    expect(run.steps).toContain("baked node");
    expect(docker("image", "ls", "--quiet", baked)).not.toBe("");
  });

  test("is pulled by the Action's warm-node", async () => {
    expect(docker("image", "ls", "--quiet", baked)).toBe("");
    const project = workspace.project("pulled", TILTFILE, podOf("busybox:latest", SLEEP));
    using job = workspace.clusterJob(project, {
      with: { "kind-config": config, "warm-node": baked },
    });
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.annotations.filter((line) => line.startsWith("::warning"))).toEqual([]);
    expect(stepsOf(eventsIn(job.reports))).toContain("baked node");
    const post = await job.post(main);
    expect(post.exit, post.log).toBe(0);
  });

  test("serves builds on an image of many layers that is in it", async () => {
    const project = {
      ...podOf("on-layered", {
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", `(${LIST_COMMAND}) >/found; exec sleep 600`],
        readinessProbe: { exec: { command: ["cmp", "/found", "/expected"] }, periodSeconds: 1 },
      }),
      Tiltfile: `docker_build('on-layered', '.')\n${TILTFILE}`,
      Dockerfile: `FROM ${layered}\nCOPY expected /\n`,
      expected: EXPECTED_LISTING,
    };
    const run = await runOf("built", project, ["--warm-node", baked]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(run.steps).toContain("baked node");
  });

  describe("that cannot be had", () => {
    let silent: Server;
    const sockets: Socket[] = [];

    beforeAll(async () => {
      silent = createServer((socket) => void sockets.push(socket));
      await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    });
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });

    test.each([
      ["nobody listens", () => "127.0.0.1:1/node:1", /cannot be pulled: .*refused/],
      ["it is not there", () => `${registry}/none:1`, /cannot be pulled: .*(not found|unknown)/],
      [
        "the registry never answers",
        () => `127.0.0.1:${(silent.address() as { port: number }).port}/node:1`,
        /cannot be pulled: /,
      ],
      [
        "it is another image",
        () => {
          docker("tag", "busybox:latest", `${registry}/busybox:1`);
          docker("push", "--quiet", `${registry}/busybox:1`);
          docker("rmi", `${registry}/busybox:1`);
          return `${registry}/busybox:1`;
        },
        /busybox:1 is baked for another one/,
      ],
    ])("is done without, with one warning and soon, where %s", async (name, ref, reason) => {
      const image = ref();
      const run = await runOf(name, podOf(pauseImage()), ["--warm-node", image]);
      expect(run.code, run.stdout + run.stderr).toBe(0);
      expect(run.warnings.map(({ message }) => message)).toEqual([expect.stringMatching(reason)]);
      expect(run.warnings[0]!.message).toContain("kind makes it");
      expect(run.warnings[0]!.at - run.startedAt).toBeLessThan(30_000);
      expect(run.steps).not.toContain("baked node");
      if (docker("image", "ls", "--quiet", image)) docker("rmi", image);
    });
  });
});

type Project = Readonly<Record<string, string>>;

const TILTFILE = "k8s_yaml('app.json')\n";
const SLEEP = { command: ["sleep", "600"] };

/** A Deployment of an image that its node must have already, unless its container says otherwise. */
function podOf(image: string, more: object = {}): Project {
  const container = { name: "app", image, imagePullPolicy: "Never", ...more };
  const app = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "app" },
    spec: {
      selector: { matchLabels: { app: "app" } },
      template: {
        metadata: { labels: { app: "app" } },
        spec: { containers: [container], terminationGracePeriodSeconds: 0 },
      },
    },
  };
  return { Tiltfile: TILTFILE, "app.json": JSON.stringify(app) };
}

function eventsIn(reports: string): readonly RunEvent[] {
  return parseEvents(readFileSync(join(reports, "events.ndjson"), "utf8"));
}

function stepsOf(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === "step" ? [event.name] : []));
}
