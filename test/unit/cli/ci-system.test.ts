import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { detectCi } from "../../../src/cli/ci-system.ts";
import { presentOnGithub } from "../../../src/cli/github.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
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

  test("says what it cannot write, and goes on", async () => {
    const io = fakeProcess("/", { env: { GITHUB_STEP_SUMMARY: "/no/such/folder/summary" } });
    await presentOnGithub(result, { annotations: false, summary: true }, io);
    expect(io.err()).toMatch(/^Cannot write the step summary: ENOENT/);
    expect(io.out()).toBe("");
  });
});
