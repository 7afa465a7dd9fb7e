import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateFiles, failureOf } from "./evaluation.ts";

/* Tiltfiles and data that nobody means well with: each must end with an error, and soon. */

const BOMB = ["a: &a [x, x, x, x, x, x, x, x, x]"]
  .concat(
    [..."bcdefghi"].map((name, index) => {
      const alias = `*${"abcdefghi"[index]}`;
      return `${name}: &${name} [${Array(9).fill(alias).join(", ")}]`;
    }),
  )
  .join("\n");
const DEEP = "[".repeat(50_000) + "]".repeat(50_000);

describe("evaluate() ends with an error", () => {
  test("for a Tiltfile of many megabytes", () => {
    const { error } = evaluateFiles({ Tiltfile: "x = 1\n".repeat(3 << 20) });
    expect(error?.message).toBe("error reading file $D/Tiltfile: it has more than 16 MiB");
  });

  test.each([
    ["list(range(1000000000000))", /excessive length/],
    ["sorted(range(1000000000000))", /excessive length/],
    ["[0] * 1000000000", /excessive repeat/],
    ["'a' * 1000000000", /excessive repeat/],
    ["1 << 1000000", /shift count too large/],
    [DEEP, /excessive nesting/],
  ])("for a value without measure: %.40s", (expression, message) => {
    expect(failureOf(`x = ${expression}`)).toMatch(message);
  });

  test("for text that doubles again and again", () => {
    expect(failureOf("x = 'a'\nfor i in range(60): x += x")).toBe("Error: excessive text length");
  });

  test.each(["read_yaml", "k8s_yaml"])("for aliases that multiply, in %s", (builtin) => {
    expect(failureOf(`${builtin}("a.yaml")`, { "a.yaml": BOMB })).toMatch(
      /yaml: document contains excessive aliasing$/,
    );
  });

  test.each([
    ["read_json", /exceeded max depth|stack overflow/],
    ["read_yaml", /exceeded max depth|nested too deeply/],
  ])("for deep data in %s", (builtin, message) => {
    expect(failureOf(`${builtin}("a")`, { a: DEEP })).toMatch(message);
  });

  test.each(["read_json", "read_yaml"])(
    "for data of more values than memory has room for, in %s",
    (builtin) => {
      const list = `[${"0,".repeat(4_000_000)}0]`;
      expect(failureOf(`${builtin}("a")`, { a: list })).toContain("more than 4 million values");
    },
    60_000,
  );

  test.skipIf(process.env.TILT_CI_TEST_FULL !== "1").each([
    ["read_json", "[", "0,", "0]"],
    ["read_yaml", "", "- word\n", ""],
    ["k8s_yaml", "", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n", ""],
  ])(
    "for a file of 100 MB in %s",
    (builtin, open, piece, close) => {
      const text = `${open}${piece.repeat(100_000_000 / piece.length)}${close}`;
      expect(failureOf(`${builtin}("a")`, { a: text })).toContain("more than 4 million values");
    },
    300_000,
  );

  test.each(["encode_json", "encode_yaml"])("for a value that holds itself, in %s", (builtin) => {
    expect(failureOf(`x = []\nx.append(x)\n${builtin}(x)`)).toContain(
      "value holds itself, or nests too deep",
    );
  });

  test.each(["print", "encode_json"])(
    "at the deadline of a value without end, in %s",
    (builtin) => {
      const { error } = evaluateFiles(
        { Tiltfile: `x = [1]\nfor _ in range(150): x = [x, x]\n${builtin}(x)` },
        () => ({ deadlineMs: 300 }),
      );
      expect(error?.message).toContain("deadline exceeded");
    },
  );

  test("for ints that grow without end", () => {
    expect(failureOf("x = 3\nfor _ in range(60): x = x * x")).toBe("Error: excessive integer size");
  });

  test("for recursion in a file that is loaded, named by the load", () => {
    const message = failureOf('load("lib.star", "x")', {
      "lib.star": "def f(n): return f(n + 1)\nx = f(0)",
    });
    expect(message).toContain("Starlark stack overflow");
  });

  test("for files that load each other in a circle", () => {
    const files = {
      "a.star": 'load("b.star", "y")\nx = y',
      "b.star": 'load("c.star", "z")\ny = z',
      "c.star": 'load("a.star", "x")\nz = x',
    };
    expect(failureOf('load("a.star", "x")', files)).toContain("Circular load: $D/a.star");
  });

  test.each([
    ['read_file("loop")', "open $D/loop: too many levels of symbolic links"],
    ['include("loop")', "open $D/loop: too many levels of symbolic links"],
    ['k8s_yaml("loop")', "open $D/loop: too many levels of symbolic links"],
    ['os.path.realpath("loop")', "too many levels of symbolic links"],
  ])("for a symbolic link to itself: %s", (call, message) => {
    const linking = `local("ln -s loop loop", quiet=True, echo_off=True)\n${call}`;
    expect(failureOf(linking)).toContain(message);
  });

  test("for bytes that are no text", () => {
    const binary = "\u0000\u0001\ufffd\n";
    expect(failureOf('k8s_yaml("a")', { a: binary })).toContain("control characters");
  });

  test("at the deadline of an endless loop", () => {
    const { error } = evaluateFiles({ Tiltfile: "while True: pass" }, () => ({ deadlineMs: 300 }));
    expect(error?.message).toContain("deadline exceeded");
  });

  test("for a file that includes itself", () => {
    expect(failureOf('include("Tiltfile")')).toBe("Error in include: Circular load: $D/Tiltfile");
  });
});

describe("A pipe", () => {
  /** Evaluates with a pipe that a program holds open for a moment, when that has something to write. */
  function withPipe(files: Record<string, string>, tiltfile: string, text?: string) {
    return evaluateFiles(files, (directory) => {
      const pipe = join(directory, "pipe");
      execFileSync("mkfifo", [pipe]);
      if (text !== undefined) {
        const ready = join(directory, "ready");
        const script = 'exec 3<>"$1"; touch "$2"; sleep 0.2; printf %s "$3" >&3; sleep 0.2';
        spawn("sh", ["-c", script, "sh", pipe, ready, text], { stdio: "ignore" }).unref();
        execFileSync("sh", ["-c", 'until [ -e "$1" ]; do sleep 0.01; done', "sh", ready]);
      }
      return { tiltfile: join(directory, tiltfile) };
    });
  }

  test("that nobody writes to is empty, not waited for", () => {
    const { log, error } = withPipe({ Tiltfile: 'print([str(read_file("pipe"))])' }, "Tiltfile");
    expect(error).toBeUndefined();
    expect(log).toBe('[""]\n');
  });

  test("is read to its end", () => {
    const text = `x = ${JSON.stringify("é".repeat(2000))}\nprint(len(x))\n`;
    expect(withPipe({}, "pipe", text)).toMatchObject({ error: undefined, log: "4000\n" });
  });
});

test("a file without end is an error", () => {
  expect(failureOf('read_file("/dev/zero")')).toContain("it has more than 64 MiB");
  expect(failureOf('include("/dev/zero")')).toContain("it has more than");
});

test("listdir() does not follow a link that leads upwards", () => {
  const { log } = evaluateFiles({
    Tiltfile:
      'local("mkdir d && ln -s .. d/up", quiet=True, echo_off=True)\nprint(listdir("d", recursive=True))',
  });
  expect(log).toContain('["$D/d/up"]');
});

test("a chain of 300 files that load each other is no recursion", () => {
  const links = Array.from({ length: 300 }, (_, i) => [
    `f${i}.star`,
    `load("f${i + 1}.star", y = "x")\nx = y + 1`,
  ]);
  const files = Object.fromEntries([...links, ["f300.star", "x = 0"]]);
  const { log } = evaluateFiles({ ...files, Tiltfile: 'load("f0.star", "x")\nprint(x)' });
  expect(log).toBe("300\n");
});

test("names like those of JavaScript's own properties are only names", () => {
  const { plan, log } = evaluateFiles({
    Tiltfile: [
      'data = decode_json(\'{"__proto__": {"x": 1}, "constructor": 2}\')',
      "print(data, encode_json(data), decode_yaml('__proto__: {z: 1}'))",
      'local_resource("__proto__", "true", resource_deps=["constructor"], env={"__proto__": "x"})',
      'local_resource("constructor", "true", labels=["toString"])',
      'os.putenv("__proto__", "z")',
      'print(os.getenv("__proto__"), os.getenv("constructor"))',
    ].join("\n"),
  });
  expect(log).toContain('{"__proto__": {"x": 1}, "constructor": 2}');
  expect(log).toContain('{"__proto__": {"z": 1}}');
  expect(log).toContain("z None");
  expect(plan?.resources.map(({ name, resourceDeps }) => [name, resourceDeps])).toEqual([
    ["__proto__", ["constructor"]],
    ["constructor", []],
  ]);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});
