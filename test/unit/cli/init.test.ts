import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { kindTool } from "../../../src/action/tools/catalogue.ts";
import { needsOf } from "../../../src/cli/init/needs.ts";
import {
  KIND_VERSION,
  pipelineFor,
  SYSTEMS,
  type System,
} from "../../../src/cli/init/pipelines.ts";
import { main } from "../../../src/cli/main.ts";
import type { Plan } from "../../../src/model/plan.ts";
import { fakeProcess } from "./process-io.ts";
import { Repository } from "./repository.ts";

const root = resolve(import.meta.dirname, "../../..");
const needs = { cluster: true, compose: false, tools: [], submodules: false };
const POD = `k8s_yaml(blob('''
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: a, image: busybox}]}
'''))\n`;

async function init(repository: Repository, ...argv: string[]) {
  const io = fakeProcess(repository.path, { env: repository.env });
  const code = await main(["init", ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

describe("tilt-ci init", () => {
  test("writes a workflow with a cluster for a Tiltfile that deploys", async () => {
    using repository = new Repository();
    repository.commit({ Tiltfile: POD });
    const { code, out } = await init(repository);
    expect(code).toBe(0);
    expect(out).toBe(
      "Wrote .github/workflows/tilt-ci.yml: with a kind cluster\nRuns write their reports to tilt-ci-report/: a line for .gitignore\n",
    );
    repository.write(".gitignore", "tilt-ci-report/\n");
    expect((await init(repository, "--force")).out).not.toContain(".gitignore");
    const text = readFileSync(join(repository.path, ".github/workflows/tilt-ci.yml"), "utf8");
    expect(text).toBe(pipelineFor("github", { tiltfile: "Tiltfile", needs, branch: "main" }).text);
  });

  test("names the Tiltfile of a folder, from the top of the repository", async () => {
    using repository = new Repository();
    repository.commit({ "my stack/Tiltfile": "local_resource('a', 'true')\n", ".gitmodules": "" });
    const { out } = await init(repository, "--file", "my stack/Tiltfile", "--print");
    const { jobs } = load(out) as { jobs: { stack: { steps: { uses: string; with?: object }[] } } };
    expect(jobs.stack.steps.slice(0, 2)).toEqual([
      { uses: "actions/checkout@v5", with: { submodules: true } },
      { uses: "tilt-ci/tilt-ci@v0", with: { tiltfile: "my stack/Tiltfile", cluster: "none" } },
    ]);
  });

  test("tests pushes to the repository's default branch, whatever it is called", async () => {
    using repository = new Repository();
    const branches = async () => {
      const { out } = await init(repository, "--print");
      return (load(out) as { on: { push: { branches: string[] } } }).on.push.branches;
    };
    repository.write("Tiltfile", POD);
    repository.git("symbolic-ref", "HEAD", "refs/heads/develop");
    expect(await branches(), "no commit yet").toEqual(["develop"]);
    repository.commit({});
    repository.git("branch", "master");
    expect(await branches(), "of those here").toEqual(["master"]);
    repository.git("push", "--quiet", "origin", "develop");
    repository.git("fetch", "--quiet", "origin");
    repository.git("remote", "set-head", "origin", "develop");
    expect(await branches(), "the remote's").toEqual(["develop"]);
  });

  test("asks for what the Tiltfile's evaluation runs", () => {
    const commands = [
      ["helm", "template", "chart", "."],
      ["sh", "-c", "cat a | kubectl kustomize b; kustomized"],
    ];
    const plan = { resources: [], environment: { commands } } as unknown as Plan;
    const found = needsOf(plan, false);
    expect(found).toEqual({ ...needs, cluster: false, tools: ["helm", "kubectl", "kustomize"] });
    const { text } = pipelineFor("gitlab", { tiltfile: "Tiltfile", needs: found, branch: "main" });
    expect(text).toContain("a Docker engine, helm, kubectl and kustomize.");
  });

  test("replaces a file only when told so", async () => {
    using repository = new Repository();
    repository.commit({ Tiltfile: POD, ".gitlab-ci.yml": "mine\n" });
    const refused = await init(repository, "--ci", "gitlab");
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/\.gitlab-ci\.yml exists already[\s\S]*--print[\s\S]*--force/);
    const file = join(repository.path, ".gitlab-ci.yml");
    expect(readFileSync(file, "utf8")).toBe("mine\n");
    expect((await init(repository, "--ci", "gitlab", "--force")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain("tilt-ci ci");
  });

  test("takes a Tiltfile that it cannot evaluate for one with a cluster, and says so", async () => {
    using repository = new Repository();
    repository.commit({ Tiltfile: "nonsense()\n" });
    const { code, err } = await init(repository);
    expect(code).toBe(0);
    expect(err).toMatch(/cannot be evaluated by itself.*nonsense.*needs a cluster/);
  });

  test("refuses where there is no Tiltfile", async () => {
    using repository = new Repository();
    expect(await init(repository)).toMatchObject({
      code: 2,
      err: expect.stringContaining("--file"),
    });
    expect(existsSync(join(repository.path, ".github"))).toBe(false);
  });
});

describe("pipelineFor()", () => {
  /** The names of the same pipelines in examples/ci, where a leading folder would hide them. */
  const EXAMPLES = {
    github: "github-workflow.yml",
    gitlab: ".gitlab-ci.yml",
    buildkite: "buildkite-pipeline.yml",
    jenkins: "Jenkinsfile",
    circleci: "circleci-config.yml",
  } as const;

  test.each(SYSTEMS)("examples/ci has what it writes for %s", async (system) => {
    const { text } = pipelineFor(system, { tiltfile: "Tiltfile", needs, branch: "main" });
    await expect(text).toMatchFileSnapshot(join(root, "examples/ci", EXAMPLES[system]));
  });

  test.each(SYSTEMS.filter((system) => system !== "jenkins"))(
    "writes YAML for %s, whatever the Tiltfile is called",
    (system) => {
      const odd = {
        branch: "release/*.x: #1",
        tiltfile: "a 'b' \"c\": #d/Tiltfile",
        needs: { ...needs, submodules: true, compose: true },
      };
      expect(() => load(pipelineFor(system, odd).text)).not.toThrow();
      const text = JSON.stringify(
        load(pipelineFor(system, { ...odd, tiltfile: "x y/Tiltfile" }).text),
      );
      expect(text).toContain("x y/Tiltfile");
    },
  );

  test("writes workflows that actionlint accepts", ({ skip }) => {
    if (spawnSync("actionlint", ["--version"]).error) skip("actionlint is not installed");
    const { text } = pipelineFor("github", {
      tiltfile: "x y/Tiltfile",
      needs: { ...needs, submodules: true },
      branch: "main",
    });
    const { status, stdout } = spawnSync("actionlint", ["-"], { input: text, encoding: "utf8" });
    expect(status, stdout).toBe(0);
  });

  test("quotes the Tiltfile's name for the system's own escapes", () => {
    const of = (system: System) =>
      pipelineFor(system, { tiltfile: "it's/$HOME/Tiltfile", needs, branch: "main" }).text;
    expect(of("jenkins")).toContain(String.raw`--file 'it'\\''s/$HOME/Tiltfile'`);
    expect(of("buildkite")).toContain(String.raw`--file 'it'\''s/$$HOME/Tiltfile'`);
  });

  test("installs the kind that the Action installs", () => {
    expect(KIND_VERSION).toBe(kindTool().version);
  });
});
