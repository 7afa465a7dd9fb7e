import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { detectCi } from "../../../src/cli/ci-system.ts";
import { presentOnGithub } from "../../../src/cli/github.ts";
import { main } from "../../../src/cli/main.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import { MAX_SUMMARY_BYTES } from "../../../src/report/summary.ts";
import { redStory } from "../report/sample-run.ts";
import { fakeProcess } from "./process-io.ts";

describe("detectCi()", () => {
  test.each([
    [{ GITHUB_ACTIONS: "true", CI: "true" }, "github"],
    [{ GITLAB_CI: "true", CI: "true" }, "gitlab"],
    [{ BUILDKITE: "true" }, "buildkite"],
    [{ CIRCLECI: "true" }, "circleci"],
    [{ TF_BUILD: "True" }, "azure"],
    [{ JENKINS_URL: "https://jenkins" }, "jenkins"],
    [{ CI: "1" }, "generic"],
    [{ CI: "false" }, undefined],
    [{}, undefined],
  ])("finds in %o: %s", (env, expected) => {
    expect(detectCi(env as Record<string, string>)).toBe(expected);
  });
});

describe("presentOnGithub()", () => {
  const result = reduceResult(redStory().events);

  test("adds to the step's summary, after what is there, and annotates", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tci-summary-"));
    const file = join(folder, "summary");
    writeFileSync(file, "before\n");
    const io = fakeProcess(folder, { env: { GITHUB_STEP_SUMMARY: file } });
    await presentOnGithub(result, { annotations: true, summary: true }, io);
    expect(readFileSync(file, "utf8")).toMatch(/^before\n## ❌/);
    expect(io.out()).toMatch(/^::error file=Tiltfile/);
    rmSync(folder, { recursive: true });
  });

  test("keeps the whole step's summary below GitHub's limit", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tci-summary-"));
    const file = join(folder, "summary");
    const io = fakeProcess(folder, { env: { GITHUB_STEP_SUMMARY: file } });
    for (const left of [0, 100, 300]) {
      writeFileSync(file, "x".repeat(MAX_SUMMARY_BYTES - left));
      await presentOnGithub(result, { annotations: false, summary: true }, io);
      expect(readFileSync(file).length, `${left} bytes left`).toBeLessThanOrEqual(
        MAX_SUMMARY_BYTES,
      );
    }
    expect(readFileSync(file, "utf8")).toMatch(/Cut here/);
    expect(io.err()).toBe("");
    rmSync(folder, { recursive: true });
  });

  test("says what it cannot write, and goes on", async () => {
    const io = fakeProcess("/", { env: { GITHUB_STEP_SUMMARY: "/no/such/folder/summary" } });
    await presentOnGithub(result, { annotations: false, summary: true }, io);
    expect(io.err()).toMatch(/^Cannot write the step summary: ENOENT/);
    expect(io.out()).toBe("");
  });
});

describe("tilt-ci ci on GitHub", () => {
  test.each([
    ["true", 0, "## ✅ SUCCESS. All workloads are healthy."],
    ["false", 1, '## ❌ lint: command: Command "false" failed: exit status 1 (CommandFailed)'],
  ])("sums up a run that has come to its end: %s", async (command, code, title) => {
    const folder = mkdtempSync(join(tmpdir(), "tci-summary-"));
    const summary = join(folder, "summary");
    writeFileSync(join(folder, "Tiltfile"), `local_resource('lint', '${command}')\n`);
    writeFileSync(summary, "");
    const env = { HOME: folder, XDG_STATE_HOME: folder };
    const github = { GITHUB_ACTIONS: "true", CI: "true", GITHUB_STEP_SUMMARY: summary };
    const io = fakeProcess(folder, { env: { ...env, ...github } });
    expect(await main(["ci", "--cluster", "none", "--export-logs", "never"], io)).toBe(code);
    expect(readFileSync(summary, "utf8").split("\n")[0]).toBe(title);
    rmSync(folder, { recursive: true });
  });
});
