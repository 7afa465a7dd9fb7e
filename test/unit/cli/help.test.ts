import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { renderCliDocs } from "../../../scripts/cli-docs.mjs";
import { defaultText } from "../../../src/cli/help.ts";
import { buildProgram, main } from "../../../src/cli/main.ts";
import { STARLARK_HELP } from "../../../src/cli/starlark-options.ts";
import { fakeProcess } from "./process-io.ts";

const program = buildProgram(process, () => async () => {});

/** The words of every command, `report merge` among them. */
function pathsOf(command: Command, above: readonly string[] = []): string[][] {
  return command.commands.flatMap((sub) => {
    const path = [...above, sub.name()];
    return [path, ...pathsOf(sub, path)];
  });
}

const help = async (...argv: string[]) => {
  const io = fakeProcess("/");
  expect(await main(argv, io)).toBe(0);
  return io.out();
};

describe("--help", () => {
  test.each([[], ...pathsOf(program)].map((path) => [path.join(" ") || "tilt-ci", path]))(
    "of %s fits a screen",
    async (_name, path) => {
      const lines = (await help(...(path as string[]), "--help")).trimEnd().split("\n");
      expect(lines.length).toBeLessThan(24); // the prompt takes a line
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );

  test("of starlark fits a screen", () => {
    const lines = STARLARK_HELP.trimEnd().split("\n");
    expect(lines.length).toBeLessThan(24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test.each([
    ["a command", ["smok"], "Error: Unknown command 'smok'", "Run tilt-ci --help"],
    ["a command below one", ["hook", "instal"], "'instal'", "Run tilt-ci hook --help"],
    ["a flag", ["ci", "--foo"], "Error: Unknown option '--foo'", "Run tilt-ci ci --help"],
    ["a choice", ["init", "--ci", "x"], "Error: Option '--ci <system>'", "Run tilt-ci init --help"],
    ["an argument", ["hook", "install", "x"], "Error: ", "Run tilt-ci hook install --help"],
  ])("is pointed to when %s does not exist", async (_what, argv, message, next) => {
    const io = fakeProcess("/");
    expect(await main(argv, io)).toBe(2);
    expect(io.err()).toContain(message);
    expect(io.err()).toContain(next);
  });

  test("leaves out what few need, and --help-all has it", async () => {
    const [short, all] = [await help("ci", "--help"), await help("ci", "--help-all")];
    expect(short).toContain("--help-all");
    expect(short).not.toContain("--failure-window");
    expect(all).toContain("--failure-window");
    expect(all).not.toContain("--webdev-port");
    expect(all.indexOf("--kind-config")).toBeLessThan(all.indexOf("Verdict:"));
  });

  test("names every command, starlark too", async () => {
    const text = await help("--help");
    for (const name of ["ci", "plan", "hook", "init", "doctor", "starlark"])
      expect(text).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  });
});

describe("docs/cli.md", () => {
  const committed = readFileSync(resolve(import.meta.dirname, "../../../docs/cli.md"), "utf8");

  test("is what the parser says (node scripts/cli-docs.mjs)", () => {
    expect(committed).toBe(renderCliDocs(program, defaultText, STARLARK_HELP));
  });

  test("has every flag of every command that is not hidden", () => {
    for (const path of pathsOf(program)) {
      const command = path.reduce(
        (at, name) => at.commands.find((c) => c.name() === name)!,
        program,
      );
      for (const { long, hidden } of command.options)
        if (!hidden) expect(committed, `${path.join(" ")} ${long}`).toContain(long);
    }
  });
});
