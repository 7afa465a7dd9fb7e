import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { rigEnv } from "../rig/env.ts";
import { expectClean } from "./expect.ts";
import { FakeRunner, type RunnerOptions } from "./fake-runner.ts";

/** A checked-out repository for jobs to run in. */
export class Workspace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "tci-workspace-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** A folder with a Tiltfile and its files; returns its name. */
  project(name: string, tiltfile: string, files: Readonly<Record<string, string>> = {}): string {
    mkdirSync(join(this.path, name));
    for (const [file, text] of Object.entries({ Tiltfile: tiltfile, ...files }))
      writeFileSync(join(this.path, name, file), text);
    return name;
  }

  /** A job that neither makes a cluster nor can download tools. */
  job(directory: string, options: Partial<RunnerOptions> = {}): FakeRunner {
    return new FakeRunner({
      workspace: this.path,
      path: process.env.PATH ?? "",
      ...options,
      with: { "working-directory": directory, ...options.with },
      env: { TILT_CI_TOOL_MIRROR: "http://127.0.0.1:9", ...options.env },
    });
  }

  /** A job on the rig. */
  clusterJob(directory: string, options: Partial<RunnerOptions> = {}): FakeRunner {
    const { path, nodeImage } = rigEnv();
    const inputs = { "node-image": nodeImage, ...options.with };
    return this.job(directory, { path, ...options, with: inputs });
  }

  /** A web server in an image of its own, whose build and start take long enough to be interrupted. */
  slowStack(name: string): string {
    const app = (image: string) => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "slow" },
      spec: {
        selector: { matchLabels: { app: "slow" } },
        template: {
          metadata: { labels: { app: "slow" } },
          spec: {
            containers: [
              {
                name: "slow",
                image,
                command: ["sleep", "1000"],
                readinessProbe: { exec: { command: ["false"] } },
              },
            ],
          },
        },
      },
    });
    return this.project(name, "docker_build('slow', '.')\nk8s_yaml('app.json')\n", {
      Dockerfile: `FROM busybox\nRUN echo ${name} ${Date.now()} && sleep 4\n`,
      "app.json": JSON.stringify(app("slow")),
    });
  }
}

/** Cancels a job in a phase: the verdict is on disk within a second, and post leaves nothing. */
export async function expectCleanCancel(workspace: Workspace, phase: string): Promise<void> {
  using job = workspace.clusterJob(workspace.slowStack(`cancel-${phase}`), {
    end: { how: "cancel", when: phase },
  });
  const main = await job.main();
  expect(main.exit, main.log).toBe(130);
  expect(main.verdictAfterMs).toBeLessThan(1000);
  expect(main.durationMs).toBeLessThan(600_000);
  expect(job.report()).toMatchObject({ verdict: "cancelled", message: "Cancelled by SIGINT" });
  const post = await job.post(main, "cancelled");
  expect(post.exit, post.log).toBe(0);
  expectClean(job, main);
}

/** `kubectl ARGS…` on the rig. */
export function kubectl(...argv: string[]): string {
  const env = { PATH: rigEnv().path, HOME: tmpdir() };
  return execFileSync("kubectl", argv, { encoding: "utf8", env });
}

/** A loopback port that nobody has right now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
