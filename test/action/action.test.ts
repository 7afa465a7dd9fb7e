import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { argvOf, LIST_INPUTS, VALUE_INPUTS } from "../../src/action/inputs.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { action, FakeRunner } from "./fake-runner.ts";

const examples = resolve(import.meta.dirname, "../../examples");
let workspace: string;

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "tci-workspace-"));
  cpSync(examples, workspace, { recursive: true });
});
afterAll(() => rmSync(workspace, { recursive: true }));

describe("action.yml", () => {
  test("declares every input that the code reads", () => {
    const read = new Set<string>();
    argvOf((name) => {
      read.add(name);
      return "";
    });
    const elsewhere = ["working-directory", "annotations", "summary", "keep-cluster"];
    expect([...read, ...elsewhere].sort()).toEqual(Object.keys(action.inputs).sort());
    expect([...VALUE_INPUTS, ...LIST_INPUTS].every((name) => name in action.inputs)).toBe(true);
  });

  test("has the CLI's defaults: no inputs mean no flags but their own defaults", () => {
    const argv = argvOf((name) => action.inputs[name]?.default ?? "");
    expect(argv).toEqual([
      "ci",
      "--file",
      "Tiltfile",
      "--cluster=kind",
      "--registry=local",
      "--timeout=30m",
      "--readiness-timeout=5m",
      "--stable-for=0s",
      "--failure-window=10s",
      "--crash-policy=settled",
      "--semantics=strict",
      "--report-dir=tilt-ci-report",
      "--export-logs=on-failure",
      "--keep",
    ]);
  });

  test("lets context imply the current cluster, which is nobody's to keep", () => {
    const inputs: Record<string, string> = { cluster: "kind", context: "prod" };
    expect(argvOf((name) => inputs[name] ?? "")).toEqual([
      "ci",
      "--file",
      "Tiltfile",
      "--context=prod",
    ]);
  });

  test("hands resources and args on after the dashes", () => {
    const inputs: Record<string, string> = { resources: " api \n\n web", args: "--env=ci" };
    expect(argvOf((name) => inputs[name] ?? "").slice(-4)).toEqual([
      "--",
      "api",
      "web",
      "--env=ci",
    ]);
  });
});

describe("the bundle on an emulated runner", () => {
  const path = process.env.PATH ?? "";

  test("passes with outputs and a summary", async () => {
    const runner = new FakeRunner({ workspace, path, with: { "working-directory": "local-only" } });
    const main = await runner.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.outputs).toMatchObject({ result: "passed", "failed-resources": "[]" });
    expect(existsSync(main.outputs["report-junit"]!)).toBe(true);
    expect(main.summary).toContain("passed");
    expect(main.annotations).toEqual([]);
    const post = await runner.post(main);
    expect(post.exit, post.log).toBe(0);
  });

  test("fails with an annotation on the Tiltfile's line", async () => {
    const broken = join(workspace, "broken");
    cpSync(resolve(import.meta.dirname, "../fixtures/broken/failing-command"), broken, {
      recursive: true,
    });
    const main = await new FakeRunner({
      workspace,
      path,
      with: { "working-directory": "broken" },
    }).main();
    expect(main.exit).toBe(1);
    expect(main.outputs).toMatchObject({ result: "failed", "failed-resources": '["lint"]' });
    expect(main.annotations.join("\n")).toMatch(/^::error .*file=.*Tiltfile,.*line=2/m);
    expect(main.summary).toContain("lint");
  });

  test("keeps workflow commands of foreign output from being heard", async () => {
    const hostile = mkdtempSync(join(workspace, "hostile-"));
    writeFileSync(
      join(hostile, "Tiltfile"),
      "local_resource('x', 'echo \"::set-output name=result::owned\"; echo \"::add-mask::a\"')\n",
    );
    const main = await new FakeRunner({ workspace: hostile, path }).main();
    expect(main.exit, main.log).toBe(0);
    const commands = main.log.split("\n").filter((line) => /^::(set-output|add-mask)/.test(line));
    const fenced = main.log.includes("::stop-commands::");
    expect(commands.length === 0 || fenced).toBe(true);
    expect(main.outputs.result).toBe("passed");
  });

  test("is cancelled within the runner's patience, its report written", async () => {
    const main = await new FakeRunner({
      workspace,
      path,
      with: { "working-directory": "local-only", args: "slow" },
      cancelAfterMs: 8000,
    }).main();
    expect(main.exit).toBe(130);
    expect(main.outputs.result).toBe("cancelled");
    expect(execFileSync("ps", ["-axo", "command="], { encoding: "utf8" })).not.toContain(
      "sleep 61",
    );
  });
});

describe.skipIf(!clusterAvailable())("the bundle on an emulated runner with a cluster", () => {
  test("leaves the cluster to the following steps and removes it in post", async () => {
    const { path, nodeImage } = rigEnv();
    const runner = new FakeRunner({
      workspace,
      path,
      with: { "working-directory": "hello", "node-image": nodeImage },
    });
    const main = await runner.main();
    expect(main.exit, main.log).toBe(0);
    const kubeconfig = main.env.KUBECONFIG!;
    expect(kubeconfig).toBe(main.outputs.kubeconfig);
    const pods = execFileSync(
      "kubectl",
      [
        "--kubeconfig",
        kubeconfig,
        "get",
        "deployment",
        "hello",
        "--output",
        "jsonpath={.status.readyReplicas}",
      ],
      { encoding: "utf8", env: { PATH: path } },
    );
    expect(pods).toBe("1");
    const post = await runner.post(main);
    expect(post.exit, post.log).toBe(0);
    expect(existsSync(kubeconfig)).toBe(false);
    expect(
      execFileSync("docker", ["ps", "--all", "--format", "{{.Names}}"], { encoding: "utf8" }),
    ).not.toContain(main.state.run);
  });
});
