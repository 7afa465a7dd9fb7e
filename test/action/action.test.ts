import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { expectClean, expectWellFormed, leftoversOf, processesWith } from "./expect.ts";
import { action } from "./fake-runner.ts";
import { expectCleanCancel, freePort, kubectl, Workspace } from "./jobs.ts";

const root = resolve(import.meta.dirname, "../..");
const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());

describe("the bundle on an emulated runner", () => {
  test("passes with outputs and a summary, and has nothing to remove", async () => {
    using job = workspace.job(workspace.project("passing", "local_resource('hello', 'echo hi')\n"));
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.outputs).toMatchObject({
      result: "passed",
      "failed-resources": "[]",
      kubeconfig: "",
    });
    expect(Object.keys(main.outputs).sort()).toEqual(Object.keys(action.outputs).sort());
    for (const name of ["report-json", "report-junit", "report-html", "logs-dir"])
      expect(existsSync(main.outputs[name]!), name).toBe(true);
    expect(Number(main.outputs["duration-ms"])).toBe(job.report().durationMs);
    expect(JSON.parse(main.outputs.phases!)).toEqual(job.report().timings);
    expect(main.summary).toContain("passed");
    expectWellFormed(main);
    const post = await job.post(main);
    expect(post.exit, post.log).toBe(0);
    expect(post.annotations).toEqual([]);
    expectClean(job, main);
  });

  test("fails with an annotation on the Tiltfile's line", async () => {
    using job = workspace.job(
      workspace.project("failing", "# lints\nlocal_resource('lint', 'exit 1')\n"),
    );
    const main = await job.main();
    expect(main.exit).toBe(1);
    expect(main.outputs).toMatchObject({ result: "failed", "failed-resources": '["lint"]' });
    expect(main.annotations.join("\n")).toMatch(/^::error .*file=.*Tiltfile,.*line=2/m);
    expect(main.summary).toContain("lint");
    expectWellFormed(main);
  });

  test("reports a Tiltfile that cannot be evaluated", async () => {
    using job = workspace.job(workspace.project("broken", "\n\nnonsense()\n"));
    const main = await job.main();
    expect(main.exit).toBe(2);
    expect(main.outputs.result).toBe("error");
    expect(main.annotations.join("\n")).toMatch(/^::error .*line=3.*nonsense/m);
  });

  test.each([
    ["an input that is no flag's value", { cluster: "mars" }, /mars/],
    ["a switch that is neither true nor false", { "keep-cluster": "maybe" }, /keep-cluster/],
    ["a duration that is none", { timeout: "soon" }, /soon/],
  ])("refuses %s", async (name, inputs, message) => {
    using job = workspace.job(
      workspace.project(`refused ${name}`, "local_resource('a', 'true')\n"),
      { with: inputs },
    );
    const main = await job.main();
    expect(main.exit).not.toBe(0);
    expect(main.log).toMatch(message);
    expect(main.annotations.join("\n")).toMatch(new RegExp(`^::error::.*${message.source}`));
    const post = await job.post(main);
    expect(post.exit, post.log).toBe(0);
  });

  test("writes neither annotations nor a summary when told so", async () => {
    using job = workspace.job(workspace.project("silent", "local_resource('lint', 'exit 1')\n"), {
      with: { annotations: "false", summary: "false" },
    });
    const main = await job.main();
    expect(main.exit).toBe(1);
    expect(main.annotations).toEqual([]);
    expect(main.summary).toBe("");
  });

  test("keeps workflow commands of foreign output from being heard", async () => {
    const commands = [
      "::set-output name=result::owned",
      "::error::forged",
      "::add-mask::passed",
      "##[error]x",
    ];
    using job = workspace.job(
      workspace.project(
        "hostile",
        `${commands.map((text) => `print('${text}')`).join("\n")}\nlocal_resource('x', '${commands.map((text) => `echo "${text}"; echo "${text}" >&2`).join("; ")}; exit 1')\n`,
      ),
    );
    const main = await job.main();
    expect(main.exit).toBe(1);
    expect(main.masks).toEqual([]);
    expect(main.outputs.result).toBe("failed");
    expect(main.annotations.filter((line) => !line.includes("title=First cause"))).toEqual([]);
    expect(main.unresumed).toEqual([]);
  });

  test("keeps what a Tiltfile runs from the runner's files, inputs and token", async () => {
    const files = ["ENV", "PATH", "OUTPUT", "STATE", "STEP_SUMMARY"].map(
      (kind) => `$GITHUB_${kind}`,
    );
    const forge = files.map((file) => `[ -z "${file}" ] || echo OWNED=1 >> "${file}"`).join("; ");
    using job = workspace.job(
      workspace.project(
        "forging",
        `local('''${forge}; env''')\nlocal_resource('x', '''${forge}; env''')\n`,
      ),
    );
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.rawLog).toContain("GITHUB_REPOSITORY=owner/repo");
    expect(main.rawLog).not.toMatch(/INPUT_[A-Z]|GITHUB_ENV=|ghs_theJobsOwnToken/);
    expect({ ...main.env, ...main.outputs, ...main.state }).not.toHaveProperty("OWNED");
    expect(main.addedPaths.join()).not.toContain("OWNED");
    expect(main.summary).not.toContain("OWNED");
  });

  test("names files from the top of the checkout where there is no git", async () => {
    using job = workspace.job(workspace.project("no git", "local_resource('lint', 'exit 1')\n"));
    const main = await job.main();
    expect(main.exit).toBe(1);
    expect(main.annotations.join("\n")).toMatch(/^::error file=no git\/Tiltfile,line=1,/m);
  });

  test("goes on with the version that the step insists on only", async () => {
    const directory = workspace.project("version", "local_resource('a', 'true')\n");
    using other = workspace.job(directory, { with: { version: "99.0.0" } });
    const main = await other.main();
    expect(main.exit).not.toBe(0);
    expect(main.annotations.join("\n")).toMatch(/^::error::This is tilt-ci .* wants 99\.0\.0/);
    expect((await other.post(main)).exit).toBe(0);
  });

  test("masks the values of secret-env, line by line, and says them nowhere", async () => {
    using job = workspace.job(
      workspace.project("secretive", "local_resource('x', 'echo token=$TOKEN; echo \"$KEY\"')\n"),
      {
        with: { "secret-env": "TOKEN\nKEY" },
        env: { TOKEN: "s3cr3t-value", KEY: "first line of it\nsecond line of it\nx" },
      },
    );
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.masks).toEqual(["s3cr3t-value", "first line of it", "second line of it"]);
    const told = main.rawLog.replaceAll(/^::add-mask::.*$/gm, "");
    const everything =
      told + main.summary + JSON.stringify(main.outputs) + JSON.stringify(main.state);
    expect(everything).not.toMatch(/s3cr3t-value|second line of it/);
    expect(readFileSync(join(job.reports, "logs/x/command.log"), "utf8")).toContain(
      "redacted env TOKEN",
    );
  });

  test("uses the Tiltfile's own limits unless the inputs say otherwise", async () => {
    const tiltfile = "ci_settings(timeout='77s')\nlocal_resource('a', 'true')\n";
    const directory = workspace.project("limits", tiltfile);
    using silent = workspace.job(directory);
    await silent.main();
    expect(silent.report().run.argv).toEqual(["ci"]);
    using spoken = workspace.job(directory, { with: { timeout: "99s" } });
    const main = await spoken.main();
    expect(spoken.report().run.argv).toEqual(["ci", "--timeout=99s"]);
    expect(main.log).toMatch(/timeout/);
  });
});

describe("a cancelled job", () => {
  const slow = "sleep 61.73";
  const cancelled = (directory: string, when: string) =>
    workspace.job(directory, { end: { how: "cancel", when } });

  test.each([
    ["evaluate", `local('${slow}')\nlocal_resource('a', 'true')\n`],
    ["command", `local_resource('a', '${slow}')\n`],
    [
      "serve",
      `local_resource('a', serve_cmd='${slow}', readiness_probe=probe(exec=exec_action(['false'])))\n`,
    ],
  ])("in phase %s has its report within a second and leaves no process", async (when, tiltfile) => {
    using job = cancelled(workspace.project(`cancel-${when}`, tiltfile), when);
    const main = await job.main();
    expect(main.exit, main.log).toBe(130);
    expect(main.verdictAfterMs).toBeLessThan(1000);
    expect(main.outputs.result).toBe("cancelled");
    expect(main.state.run).toMatch(/^tci-/);
    expect(job.report()).toMatchObject({ verdict: "cancelled", complete: true });
    expect(processesWith(slow)).toEqual([]);
    const post = await job.post(main, "cancelled");
    expect(post.exit, post.log).toBe(0);
    expectClean(job, main);
  });

  test("in phase teardown keeps the verdict that it had", async () => {
    const stubborn = 'trap "" TERM; touch started; while :; do sleep 0.2; done';
    using job = cancelled(
      workspace.project(
        "cancel-teardown",
        `local_resource('a', serve_cmd='${stubborn}', readiness_probe=probe(period_secs=1, exec=exec_action(['test', '-e', 'started'])))\n`,
      ),
      "teardown",
    );
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.outputs.result).toBe("passed");
    expect(job.report().complete).toBe(true);
  });

  test("that is killed at once is cleaned up by post", async () => {
    using job = workspace.job(
      workspace.project("killed", `local_resource('a', 'touch started; ${slow}')\n`),
      {
        end: { how: "kill", when: "file:started" },
      },
    );
    const main = await job.main();
    expect(main.exit).toBe(-1);
    expect(main.state.run).toMatch(/^tci-/);
    expect(processesWith(slow)).not.toEqual([]);
    const post = await job.post(main, "failure");
    expect(post.exit, post.log).toBe(0);
    expect(processesWith(slow)).toEqual([]);
    expect(job.report()).toMatchObject({ complete: false });
    expectClean(job, main);
  });
});

describe.skipIf(!clusterAvailable())("the bundle on an emulated runner with a cluster", () => {
  test("leaves the cluster to the following steps; post collects logs for one that failed", async () => {
    const port = await freePort();
    cpSync(join(root, "examples/hello"), join(workspace.path, "hello"), { recursive: true });
    const tiltfile = join(workspace.path, "hello/Tiltfile");
    writeFileSync(tiltfile, readFileSync(tiltfile, "utf8").replace("18080", String(port)));
    using job = workspace.clusterJob("hello");
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    const { kubeconfig = "", context = "", images = "{}" } = main.outputs;
    expect(main.env.KUBECONFIG).toBe(kubeconfig);
    expect(main.outputs["registry-host"]).toMatch(/^localhost:\d+$/);
    expect(JSON.parse(images)).toEqual({
      hello: expect.stringMatching(/^tci-.*-registry:5000\/hello:.*@sha256:[0-9a-f]{64}$/),
    });
    const cluster = ["--kubeconfig", kubeconfig, "--context", context];
    const ready = "jsonpath={.status.readyReplicas}";
    expect(kubectl(...cluster, "get", "deployment", "hello", "--output", ready)).toBe("1");
    kubectl(...cluster, "create", "secret", "generic", "s", "--from-literal=k=hidden-in-post");
    kubectl(...cluster, "label", "pod", "--all", "leak=hidden-in-post");
    const post = await job.post(main, "failure");
    expect(post.exit, post.log).toBe(0);
    expect(post.annotations).toEqual([]);
    expect(post.log).toMatch(/Pods when the job ended[\s\S]*hello-/);
    const collected = readAll(join(job.reports, "bundle/after-job"));
    expect(collected).toContain("kube-apiserver");
    expect(collected).not.toContain("hidden-in-post");
    expect(existsSync(kubeconfig)).toBe(false);
    expectClean(job, main);
  });

  test("a job cancelled while the cluster is made has its report within a second", () =>
    expectCleanCancel(workspace, "create"));

  test("a main that was killed while the cluster is made is cleaned up by post", async () => {
    using job = workspace.clusterJob(workspace.slowStack("kill-create"), {
      end: { how: "kill", when: "create" },
    });
    const main = await job.main();
    expect(main.exit).toBe(-1);
    const post = await job.post(main, "failure");
    expect(post.exit, post.log).toBe(0);
    expectClean(job, main);
    expect(leftoversOf(main.state.run!)).toEqual([]);
  });
});

function readAll(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}
