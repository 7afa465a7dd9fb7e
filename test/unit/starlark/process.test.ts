import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

// What only the bundled program can show: the Worker with its large stack, and a stop from another thread.
const folder = mkdtempSync(join(tmpdir(), "starlark-process-"));
const command = join(folder, "starlark.cjs");
const library = join(folder, "library.cjs");
const launcher = join(folder, "run.cjs");

beforeAll(async () => {
  const shared = {
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minifySyntax: true,
  } as const;
  await build({ ...shared, entryPoints: ["src/cli/starlark.ts"], outfile: command });
  await build({ ...shared, entryPoints: ["src/starlark/index.ts"], outfile: library });
  writeFileSync(
    launcher,
    `require("./starlark.cjs").runStarlark(process.argv.slice(2), process).then((code) => { process.exitCode = code; });`,
  );
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, source: string): { code: number | null; err: string } {
  const path = join(folder, name);
  writeFileSync(path, source);
  const { status, stderr } = spawnSync(process.execPath, [launcher, name], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 27,
  });
  return { code: status, err: stderr };
}

describe("tilt-ci starlark", () => {
  test("recurses 100,000 calls deep, and prints what came before only once", () => {
    const source = `
print("before")
def f(n):
    for _ in [1]:
        if n > 0:
            return 1 + f(n - 1)
        return 0
print(f(99990))
`;
    expect(run("deep.star", source)).toEqual({ code: 0, err: "before\n99990\n" });
  }, 60_000);

  test("ends runaway recursion with a Starlark error", () => {
    const { code, err } = run("runaway.star", "def f(): return f()\nf()\n");
    expect(code).toBe(1);
    expect(err.slice(0, 90)).toContain(
      "Traceback (most recent call last):\n  runaway.star:2:2: in <toplevel>",
    );
    expect(err.slice(-40)).toContain("Error: Starlark stack overflow\n");
    expect(err.split("\n").length).toBeGreaterThan(100_000);
  }, 60_000);

  test.each([
    ["brackets", `x = ${"(".repeat(100_000)}1${")".repeat(100_000)}\n`, 1, "excessive nesting"],
    ["sum", `x = ${Array(100_000).fill("1").join("+")}\nprint(x)\n`, 0, "100000\n"],
    ["and", `x = ${Array(100_000).fill("1").join(" and ")}\nprint(x)\n`, 0, "1\n"],
    ["not", `x = ${"not ".repeat(100_000)}1\n`, 1, "excessive nesting"],
    ["suffixes", `x = {}\ny = x${".get(1, x)".repeat(20_000)}\nprint(y)\n`, 0, "{}\n"],
    [
      "elif",
      `if False: pass\n${"elif False: pass\n".repeat(50_000)}else: print("else")\n`,
      0,
      "else\n",
    ],
    ["data", `x = []\nfor i in range(100000): x = [x]\nprint(len(str(x)))\n`, 0, "200002\n"],
    ["lambdas", `x = ${"lambda: ".repeat(100_000)}1\n`, 1, "excessive nesting"],
  ])(
    "takes 100,000 levels of %s for a value or an error",
    (name, source, code, text) => {
      const result = run(`${name}.star`, source);
      expect(result.code).toBe(code);
      expect(result.err).toContain(text);
    },
    60_000,
  );
});

/** What a terminal shows when this is typed, a line each time the program waits for one. */
async function typeInto(typed: readonly string[]): Promise<{ code: number | null; text: string }> {
  const argv = ["-qefc", `${process.execPath} ${launcher}`, "/dev/null"];
  const child = spawn("script", argv, { cwd: folder });
  const waiting = [...typed];
  let text = "";
  let answered = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (waiting.length === 0 || !/(>>>|\.\.\.) |RUNNING\r\n$/.test(text.slice(answered))) return;
    answered = text.length;
    child.stdin.write(waiting.shift()!);
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, text: text.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "").replaceAll("\r", "") };
}

const hasScript = spawnSync("script", ["--version"]).status === 0;

describe.skipIf(!hasScript)("tilt-ci starlark on a terminal", () => {
  test("prints values and errors, drops a line at Ctrl-C, and ends at Ctrl-D", async () => {
    writeFileSync(join(folder, "lib.star"), 'def greet(): return "hé"\n');
    const { code, text } = await typeInto([
      "x = [1,\n",
      "2]\n",
      "x\n",
      "def f():\n",
      "  return x\n",
      "\n",
      "f() + nope\n",
      "f() + 1\n",
      "y = (\n",
      "\u0003",
      'load("lib.star", "greet")\n',
      "greet()\n",
      "\u0004",
    ]);
    expect(code).toBe(0);
    expect(text).toContain(">>> x\n[1, 2]\n");
    expect(text).toContain("<stdin>:1:7: undefined: nope\n");
    expect(text).toContain("  <stdin>:1:5: in <toplevel>\nError: unknown binary op: list + int\n");
    expect(text).toContain('>>> greet()\n"hé"\n>>> ');
  }, 30_000);

  test("keeps its session when Ctrl-C interrupts what runs", async () => {
    const { code, text } = await typeInto([
      "kept = 'as it was'\n",
      "def spin():\n",
      "  print('RUNNING')\n",
      "  while True: pass\n",
      "\n",
      "spin()\n",
      "\u0003",
      "kept\n",
      "\u0004",
    ]);
    expect(text).toContain(
      "  <stdin>:3:3: in spin\nError: Starlark computation cancelled: interrupted\n",
    );
    expect(text).toContain('>>> kept\n"as it was"\n');
    expect(code).toBe(0);
  }, 30_000);

  test("runs a file again whose load was interrupted", async () => {
    writeFileSync(join(folder, "slow.star"), "print('RUNNING')\n[0 for x in range(1 << 30)]\n");
    const load = 'load("slow.star", "x")\n';
    const { code, text } = await typeInto([load, "\u0003", load, "\u0003", "\u0004"]);
    expect(text.match(/^RUNNING$/gm)).toHaveLength(2);
    expect(text.match(/computation cancelled: interrupted$/gm)).toHaveLength(2);
    expect(code).toBe(0);
  }, 30_000);

  test("forgets a line at Ctrl-C, before and after the cursor", async () => {
    const { code, text } = await typeInto([
      "x = 1 + 2\u0002\u0003",
      "7\n",
      "\u0003",
      "8\n",
      "\u0004",
    ]);
    expect(text).toContain("^C\n>>> 7\n7\n");
    expect(text).toContain("8\n8\n");
    expect(text).not.toContain("Error");
    expect(code).toBe(0);
  }, 30_000);

  test("recurses 100,000 calls deep", async () => {
    const { text } = await typeInto([
      "def f(n): return 1 + f(n - 1) if n > 0 else 0\n",
      "\n",
      "f(99990)\n",
      "\u0004",
    ]);
    expect(text).toContain("\n99990\n");
  }, 30_000);
});

/** How long a program runs on, in milliseconds, after it has been told to stop. */
async function timeToStop(source: string, how: "flag" | "deadline"): Promise<number> {
  const flag = new SharedArrayBuffer(4);
  const worker = new Worker(
    `const { workerData, parentPort } = require("node:worker_threads");
     const { execFile, Thread, TILT_DIALECT } = require(workerData.library);
     const deadline = workerData.how === "deadline" ? Date.now() + 200 : undefined;
     const thread = new Thread({ cancelFlag: new Int32Array(workerData.flag), deadline });
     parentPort.postMessage(deadline);
     try {
       execFile(thread, { filename: "f", source: workerData.source, dialect: TILT_DIALECT });
     } catch (error) {
       parentPort.postMessage({ message: error.message, at: Date.now() });
     }`,
    { eval: true, workerData: { library, flag, source, how } },
  );
  const next = () => new Promise<unknown>((resolve) => worker.once("message", resolve));
  const deadline = (await next()) as number | undefined;
  const stopped = next();
  if (how === "flag") await new Promise((resolve) => setTimeout(resolve, 200));
  const told = deadline ?? Date.now();
  if (how === "flag") Atomics.store(new Int32Array(flag), 0, 1);
  const { message, at } = (await stopped) as { message: string; at: number };
  const reason = how === "flag" ? "interrupted" : "deadline exceeded";
  expect(message).toBe(`Starlark computation cancelled: ${reason}`);
  return at - told;
}

describe("Thread", () => {
  const programs = [
    "while True: pass",
    "def f(x): return x\nwhile True: f([y for y in range(10)])",
    "x = [1]\nfor _ in range(150): x = [x, x]\nstr(x)",
  ];
  const cases = programs.flatMap((source) => [
    [source, "flag"] as const,
    [source, "deadline"] as const,
  ]);

  test.each(cases)(
    "stops %j within 50 ms of its %s",
    async (source, how) => {
      // Other programs may hold the processor for longer than that, but not each time: the quickest of several runs
      // shows what the interpreter itself takes.
      let quickest = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 20 && quickest >= 50; i++) {
        quickest = Math.min(quickest, await timeToStop(source, how));
      }
      expect(quickest).toBeLessThan(50);
    },
    60_000,
  );
});
