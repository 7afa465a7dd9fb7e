import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../../src/cli/main.ts";

const root = resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const tracked = (...patterns: string[]) =>
  execFileSync("git", ["ls-files", "-z", ...patterns], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter(Boolean);

/** What users read; the changelog and notes for contributors tell of what was. */
const PAGES = tracked("README.md", "docs/*.md", "examples/**.md");
const PIPELINES = tracked("examples/ci", ".github/workflows").filter((file) => !/\.md$/.test(file));

const program = buildProgram(process, () => async () => {});

/** The command that words name, as far as they do, and what is left of them. */
function resolveCommand(words: readonly string[], from: Command = program): [Command, string[]] {
  const next = from.commands.find((command) => command.name() === words[0]);
  return next ? resolveCommand(words.slice(1), next) : [from, [...words]];
}

/** What is wrong with a command line of tilt-ci; undefined if it names a command and flags that there are. */
function problemOf(line: string): string | undefined {
  const words = line.split(/\s+/).slice(1);
  if (words[0] === "starlark" || words[0]?.startsWith("-") || words.length === 0) return undefined;
  const [command, rest] = resolveCommand(words);
  if (command === program) return `"${line}": there is no command ${words[0]}`;
  const given = rest.slice(0, rest.indexOf("--") < 0 ? rest.length : rest.indexOf("--"));
  const flags = given.flatMap((word) => /^--[a-z][\w-]*/.exec(word) ?? []);
  const known = [...command.options.map(({ long }) => long), "--help", "--help-all"];
  const unknown = flags.filter((flag) => !known.includes(flag));
  return unknown.length > 0
    ? `"${line}": ${command.name()} has no ${unknown.join(", ")}`
    : undefined;
}

/** Command lines of tilt-ci in a text: in `code`, and lines of code that start with it. */
function commandLines(text: string): string[] {
  const inline = [...text.matchAll(/`(?:exec )?(tilt-ci [a-z][^`\n]*)`/g)];
  const lines = [
    ...text.matchAll(/^(?: {4,}|\s*- )(?:exec |\$HOME\/\.local\/bin\/)?(tilt-ci [a-z][^#\n]*)/gm),
  ];
  return [...inline, ...lines].map(([, line]) => line!.replaceAll(/[|[\]…]/g, " ").trim());
}

describe("command lines in documentation and pipelines", () => {
  test.each([...PAGES, ...PIPELINES])("of %s name commands and flags that there are", (file) => {
    expect(commandLines(read(file)).flatMap((line) => problemOf(line) ?? [])).toEqual([]);
  });

  test("are found, and wrong ones seen", () => {
    expect(commandLines(read("README.md"))).toContain("tilt-ci hook install");
    expect(commandLines(read("examples/ci/Jenkinsfile"))).toContain(
      "tilt-ci ci --junit-prefix tilt",
    );
    expect(problemOf("tilt-ci cii")).toContain("no command cii");
    expect(problemOf("tilt-ci ci --no-such-flag")).toContain("ci has no --no-such-flag");
    expect(problemOf("tilt-ci ci -- --env=ci")).toBeUndefined();
  });
});

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** The steps anywhere in a YAML document. */
function stepsIn(node: unknown): Step[] {
  if (typeof node !== "object" || node === null) return [];
  const own = "uses" in node ? [node as Step] : [];
  return [...own, ...Object.values(node).flatMap(stepsIn)];
}

describe("workflows in documentation", () => {
  const blocks = [
    ...PAGES.flatMap((file) =>
      [...read(file).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => [file, text!]),
    ),
    ...PIPELINES.filter((file) => /\.ya?ml$/.test(file)).map((file) => [file, read(file)]),
  ] as [string, string][];

  test("use the Action by its major version, with inputs that it has", () => {
    const { inputs } = load(read("action.yml")) as { inputs: Readonly<Record<string, unknown>> };
    const { version } = JSON.parse(read("package.json")) as { version: string };
    const [major] = version.split(".");
    const uses = blocks.flatMap(([file, text]) =>
      stepsIn(load(text))
        .filter((step) => step.uses?.startsWith("tilt-ci/"))
        .map((step) => ({ file, step })),
    );
    expect(uses.length).toBeGreaterThan(3);
    for (const { file, step } of uses) {
      expect(step.uses, file).toBe(`tilt-ci/tilt-ci@v${major}`);
      for (const input of Object.keys(step.with ?? {})) expect(inputs, file).toHaveProperty(input);
    }
  });
});
