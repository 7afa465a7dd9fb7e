import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { expectClean, leftoversOf } from "../action/expect.ts";
import { expectCleanCancel, Workspace } from "../action/jobs.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";

const cli = resolve(import.meta.dirname, "../../dist/cli.cjs");
const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());

describe.skipIf(!clusterAvailable())("the Action on an emulated runner", () => {
  test.each(["registry", "build", "deploy", "ready"])(
    "a job cancelled in phase %s has its report within a second, and post leaves nothing",
    (phase) => expectCleanCancel(workspace, phase),
  );

  test.each(["build", "ready"])(
    "a main killed in phase %s is cleaned up by post",
    async (phase) => {
      using job = workspace.clusterJob(workspace.slowStack(`kill-${phase}`), {
        end: { how: "kill", when: phase },
      });
      const main = await job.main();
      const post = await job.post(main, "failure");
      expect(post.exit, post.log).toBe(0);
      expectClean(job, main);
    },
  );

  test("a stack that fails leaves its cluster to the following steps, with a bundle of its own", async () => {
    using job = workspace.clusterJob(workspace.slowStack("late"), {
      with: { "readiness-timeout": "5s" },
    });
    const main = await job.main();
    expect(main.exit, main.log).toBe(1);
    expect(main.outputs).toMatchObject({ result: "failed", "failed-resources": '["slow"]' });
    expect(main.outputs.kubeconfig).not.toBe("");
    const post = await job.post(main, "failure");
    expect(post.log).not.toContain("Pods when the job ended");
    expectClean(job, main);
  });

  test("keep-cluster leaves everything up, and says how to remove it", async () => {
    using job = workspace.clusterJob(workspace.slowStack("kept"), {
      with: { "keep-cluster": "true", "readiness-timeout": "2s" },
    });
    const main = await job.main();
    const kept = await job.post(main, "failure");
    expect(kept.log).toContain(`tilt-ci down ${main.state.run}`);
    expect(main.outputs.kubeconfig).not.toBe("");
    expect(leftoversOf(main.state.run!)).not.toEqual([]);
    // what a person would do then
    const state = { HOME: job.home, PATH: rigEnv().path };
    execFileSync(process.execPath, [cli, "down", main.state.run!], { env: state });
    expectClean(job, main);
  });
});
