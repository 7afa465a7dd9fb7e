import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { runStarlark } from "../../../src/cli/starlark.ts";
import { runRepl, wantsMore } from "../../../src/cli/starlark-repl.ts";
import { ReplSession } from "../../../src/cli/starlark-repl-session.ts";
import { TILT_DIALECT } from "../../../src/starlark/index.ts";

const folder = mkdtempSync(join(tmpdir(), "starlark-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

async function command(
  argv: readonly string[],
  stdin = "",
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const code = await runStarlark(argv, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: { write: (chunk) => (text.out += chunk) },
    stderr: { write: (chunk) => (text.err += Buffer.from(chunk).toString("utf8")) },
  });
  return { code, ...text };
}

describe("runStarlark()", () => {
  test("prints to standard error and exits 0", async () => {
    const path = file("hello.star", 'print("é", 1)\n');
    expect(await command([path])).toEqual({ code: 0, out: "", err: "é 1\n" });
  });

  test("takes Tilt's dialect unless told otherwise", async () => {
    const path = file("dialect.star", "x = 1\nx = 2\nfor i in set([1]):\n    print(i)\n");
    expect((await command([path])).err).toBe("1\n");
    expect(await command(["--dialect", "core", path])).toEqual({
      code: 1,
      out: "",
      err: [
        `${path}:2:1: cannot reassign global x declared at ${path}:1:1`,
        `${path}:3:1: for loop not within a function`,
        `${path}:3:10: this Starlark dialect does not support sets`,
        "",
      ].join("\n"),
    });
    const flags = ["globalreassign", "toplevelcontrol", "set"].map((name) => `--option=${name}`);
    expect((await command(["--dialect=core", ...flags, path])).code).toBe(0);
  });

  test("prints a traceback and exits 1", async () => {
    const path = file("fails.star", "def f(): return {}['x']\nf()\n");
    expect(await command([path])).toEqual({
      code: 1,
      out: "",
      err: `Traceback (most recent call last):\n  ${path}:2:2: in <toplevel>\n  ${path}:1:19: in f\nError: key "x" not in dict\n`,
    });
  });

  test("prints a frame for every call, outermost first, builtins and loaded files included", async () => {
    const lib = file("frames-lib.star", "def each(f, xs): return sorted(xs, key = f)\n");
    const path = file(
      "frames.star",
      'load("frames-lib.star", "each")\nx = "日本" + str(each(lambda x: x.nope, [1]))\n',
    );
    expect((await command([path])).err).toBe(
      [
        "Traceback (most recent call last):",
        `  ${path}:2:20: in <toplevel>`,
        `  ${lib}:1:31: in each`,
        "  <builtin>: in sorted",
        `  ${path}:2:32: in lambda`,
        "Error: int has no .nope field or method",
        "",
      ].join("\n"),
    );
    const builtin = await command(["-c", "def f(): return int('x')\nf()"]);
    expect(builtin.err).toBe(
      [
        "Traceback (most recent call last):",
        "  cmdline:2:2: in <toplevel>",
        "  cmdline:1:20: in f",
        "Error in int: int: invalid literal with base 10: x",
        "",
      ].join("\n"),
    );
  });

  test.each([
    ["set", "set([1])"],
    ["while", "def f():\n    while False: pass"],
    ["toplevelcontrol", "for x in [1]: pass"],
    ["globalreassign", "x = 1\nx = 2"],
    ["recursion", "def f(n): return f(n - 1) if n else 0\nf(2)"],
  ])("--option=%s allows what --dialect core does not", async (option, code) => {
    expect((await command(["--dialect", "core", "-c", code])).code).toBe(1);
    expect(await command(["--dialect", "core", `--option=${option}`, "-c", code])).toEqual({
      code: 0,
      out: "",
      err: "",
    });
  });

  test("shows a person the line, and a hint", async () => {
    const path = file("person.star", "x = 1\ny = 2 ** 3\n");
    let err = "";
    const stderr = {
      isTTY: true,
      write: (chunk: Uint8Array | string) => (err += Buffer.from(chunk as Uint8Array)),
    };
    await runStarlark([path], { stdin: Readable.from([]), stdout: { write: () => true }, stderr });
    expect(err.replaceAll(/\u001b\[\d+m/g, "")).toBe(
      `${path}:2:9: got '**', want newline\n   2 | y = 2 ** 3\n     |         ^\nhint: Starlark has no ** operator\n`,
    );
  });

  test("--check reports every static error and runs nothing", async () => {
    const path = file("check.star", "print(M, U, float)\nprint(a)\nreturn b\n");
    const { code, err } = await command(["--check", path]);
    expect(code).toBe(1);
    expect(err.split("\n")).toEqual([
      `${path}:1:1: undefined: print`,
      `${path}:2:1: undefined: print`,
      `${path}:2:7: undefined: a`,
      `${path}:3:1: return statement not within a function`,
      `${path}:3:8: undefined: b`,
      "",
    ]);
  });

  test("--parse stops at the first syntax error", async () => {
    const path = file("parse.star", "x = undefined_name\ny = = 1\n");
    expect((await command(["--parse", path])).err).toBe(
      `${path}:2:5: got '=', want primary expression\n`,
    );
  });

  test("--test-values predeclares the suites' values", async () => {
    const code =
      "print(_catch(lambda: 1 // 0), struct(a = 1), json.encode([1]), math.floor(1.5), [x for x, _ in zip(fibonacci, range(5))])";
    expect((await command(["--test-values", "-c", code])).err).toBe(
      "floored division by zero struct(a = 1) [1] 1 [0, 1, 1, 2, 3]\n",
    );
  });

  test("--test-values gives what may be frozen, set, named and called", async () => {
    const code = [
      "m = _module('m', a = 1)",
      "x = [1]",
      "_freeze(x)",
      "h = hasfields()",
      "h.a = 2",
      "def refused(): h.noField = 1",
      "print(m.a, _catch(lambda: x.append(2)), h.a, _catch(refused), [] + h)",
      "print(type(gensym(name = 'g')), time.parse_duration('1h'), math.pi > 3, _catch(lambda: 1))",
    ].join("\n");
    const { code: exitCode, err } = await command(["--test-values", "-c", code]);
    expect(exitCode).toBe(0);
    expect(err).toContain("1 append: cannot append to frozen list 2 ");
    expect(err).toContain(" 42\n");
    expect(err).toMatch(/1h0m0s True None\n$/);
  });

  test("loads modules from the folder of the file that asks", async () => {
    file("lib.star", "def greet(): return 'hi'\nprint('once')\n");
    const path = file(
      "main.star",
      'load("lib.star", "greet")\nload("./lib.star", again = "greet")\nprint(greet(), again())\n',
    );
    expect((await command([path])).err).toBe("once\nhi hi\n");
  });

  test.each([
    ["none.star", "open none.star: no such file or directory"],
    [".", "read .: is a directory"],
  ])("says why it cannot load %j, at the prompt too", async (module, reason) => {
    const code = `load(${JSON.stringify(module)}, "x")`;
    const expected = `Error: cannot load ${module}: ${reason}\n`;
    expect((await command(["-c", code])).err).toContain(expected);
    expect(await typeIntoRepl([`${code}\n`])).toContain(expected);
  });

  test("reads a program from -c, from standard input, and from several files", async () => {
    expect((await command(["-c", "print(1)"])).err).toBe("1\n");
    expect((await command([], "print(2)\n")).err).toBe("2\n");
    const [a, b] = [file("a.star", "print('a')"), file("b.star", "x")];
    expect(await command([b, a])).toMatchObject({ code: 1, err: `${b}:1:1: undefined: x\na\n` });
  });

  test.each([[["--nope"]], [["--dialect", "java"]], [["--option=nope"]], [["-c"]]])(
    "exits 2 for %j",
    async (argv) => {
      const { code, err } = await command(argv);
      expect(code).toBe(2);
      expect(err).toContain("Usage: tilt-ci starlark");
    },
  );

  test("says which file cannot be read", async () => {
    expect(await command([join(folder, "none.star")])).toMatchObject({
      code: 1,
      err: expect.stringContaining("none.star"),
    });
  });
});

/** What a REPL shows when this is typed. */
async function typeIntoRepl(typed: readonly string[]): Promise<string> {
  const options = { dialect: TILT_DIALECT, stage: "run", testValues: false } as const;
  const output = new PassThrough();
  const session = new ReplSession({ ...options, code: undefined, files: [] }, (text) =>
    output.write(text),
  );
  const evaluator = {
    evaluate: async (source: string) => session.evaluate(source),
    interrupt: () => undefined,
  };
  expect(await runRepl(evaluator, Readable.from(typed), output)).toBe(0);
  return String(output.read());
}

describe("runRepl()", () => {
  test("prints values, keeps globals, and goes on after an error", async () => {
    const shown = await typeIntoRepl([
      "x = [1,\n",
      "2]\n",
      "x\n",
      "def f():\n",
      "  return x\n",
      "\n",
      "f() + [nope]\n",
      "f()\n",
      "print('p')\n",
    ]);
    const lines = shown.replaceAll(/(>>>|\.\.\.) /g, "");
    expect(lines.trim().split("\n")).toEqual([
      "[1, 2]",
      "<stdin>:1:8: undefined: nope",
      "[1, 2]",
      "p",
    ]);
  });
});

describe("runRepl() helps", () => {
  test.each([
    ["exit()\n", "hint: Ctrl-D ends the session"],
    ["x = 2 ** 3\n", "hint: Starlark has no ** operator"],
    ["x = 1 + \\\n2\nx\n", "3"],
    ["def f(n): return f(n + 1)\n\nf(0)\n", "Error: Starlark stack overflow"],
  ])("with %j", async (typed, text) => {
    const shown = await typeIntoRepl(typed.split(/(?<=\n)/));
    expect(shown).toContain(text);
    expect(shown.split("\n").length).toBeLessThan(60);
  });
});

describe("wantsMore()", () => {
  test.each([
    ["x = 1 + \\", true],
    ["x = 1", false],
    ["x = (", true],
    ['x = """a', true],
    ["def f():", true],
    ["def f():\n  pass\n", false],
    ["x = = 1", false],
  ])("%j: %s", (source, expected) => {
    expect(wantsMore(source)).toBe(expected);
  });
});
