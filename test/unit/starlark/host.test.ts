import { describe, expect, test } from "vitest";
import {
  type BinaryOperator,
  type CallFrame,
  checkFile,
  EvaluationError,
  EvaluationExit,
  execFile,
  formatError,
  formatExcerpt,
  formatTraceback,
  fromJsString,
  fromStarlark,
  type Globals,
  HostValue,
  hintFor,
  innermostEvaluationError,
  loadedModules,
  makeBuiltin,
  makeLoader,
  makeTestValues,
  NoSuchAttributeError,
  nearestName,
  parseFile,
  ResolveError,
  referencedGlobals,
  reprText,
  StarlarkDict,
  StarlarkError,
  StarlarkModule,
  type StarlarkString,
  Thread,
  type ThreadOptions,
  TILT_DIALECT,
  toJsString,
  toStarlark,
  types,
  unpack,
  type Value,
} from "../../../src/starlark/index.ts";

function run(
  source: string,
  predeclared: Record<string, Value> = {},
  options: ThreadOptions = {},
): Globals {
  const names = new Map(Object.entries(predeclared));
  return execFile(new Thread(options), {
    filename: "f.star",
    source,
    predeclared: names,
    dialect: TILT_DIALECT,
  });
}

function failure(
  source: string,
  predeclared: Record<string, Value> = {},
  options: ThreadOptions = {},
): StarlarkError {
  try {
    run(source, predeclared, options);
  } catch (error) {
    if (error instanceof StarlarkError) return error;
    throw error;
  }
  throw new Error("no error");
}

function failureText(
  source: string,
  predeclared: Record<string, Value> = {},
  options: ThreadOptions = {},
): string {
  return formatError(failure(source, predeclared, options));
}

const build = makeBuiltin("build", (_thread, args, kwargs) => {
  const { name, deps, quiet, pull } = unpack("build", args, kwargs, {
    name: types.string,
    deps: types.sequence,
    "quiet??": types.bool,
    "pull?": types.bool,
  });
  return toStarlark([name, deps, quiet ?? "unset", pull ?? "unset"]);
});

describe("unpack()", () => {
  test.each([
    ["build()", "build: missing argument for name"],
    ["build(1, [])", "build: for parameter name: got int, want string"],
    ["build(name = 1, deps = [])", 'build: for parameter "name": got int, want string'],
    ["build('a', None)", "build: for parameter deps: got NoneType, want starlark.Sequence"],
    ["build('a', [], 1)", "build: for parameter quiet: got int, want bool"],
    ["build('a', [], pull = None)", 'build: for parameter "pull": got NoneType, want bool'],
    ["build('a', [], True, True, 5)", "build: got 5 arguments, want at most 4"],
    ["build('a', name = 'b')", 'build: got multiple values for keyword argument "name"'],
    ["build(nam = 'b')", 'build: unexpected keyword argument "nam" (did you mean name?)'],
    ["build(file_path = 'b')", 'build: unexpected keyword argument "file_path"'],
  ])("%s fails as starlark-go does", (call, message) => {
    const where = `f.star:1:${"build".length + 1}`;
    expect(failureText(call, { build })).toBe(
      `Traceback (most recent call last):\n  ${where}: in <toplevel>\nError in build: ${message}`,
    );
  });

  test("takes None for absent where the spec says so", () => {
    const globals = run("x = build('a', (), None)", { build });
    expect(reprText(globals.get("x")!)).toBe('["a", (), "unset", "unset"]');
  });
});

describe("tracebacks", () => {
  test("have a frame for every call, builtins between functions included", () => {
    const source =
      "def f(x):\n    return [y // 0 for y in x]\ndef g():\n    return sorted([[1]], key = f)\ng()\n";
    expect(failureText(source)).toBe(
      [
        "Traceback (most recent call last):",
        "  f.star:5:2: in <toplevel>",
        "  f.star:4:18: in g",
        "  <builtin>: in sorted",
        "  f.star:2:15: in f",
        "Error: floored division by zero",
      ].join("\n"),
    );
  });

  test("name the builtin that failed, and count columns in code points", () => {
    expect(failureText('x = "日本" + "é".index("x")')).toBe(
      "Traceback (most recent call last):\n  f.star:1:21: in <toplevel>\nError in index: index: substring not found",
    );
  });

  test("stay as they are through a builtin that calls back", () => {
    const twice = makeBuiltin("twice", (thread, [fn]) => thread.call(fn!, [1]));
    expect(failureText("twice(lambda x: x.y)", { twice })).toBe(
      [
        "Traceback (most recent call last):",
        "  f.star:1:6: in <toplevel>",
        "  <builtin>: in twice",
        "  f.star:1:18: in lambda",
        "Error: int has no .y field or method",
      ].join("\n"),
    );
  });

  test("of a failed load end at the load; its cause is the module's own", () => {
    const load = (thread: Thread) =>
      execFile(thread, { filename: "lib.star", source: "def f(): fail('no')\nf()" });
    const error = failure("load('lib', 'x')", {}, { load });
    expect(formatError(error)).toBe(
      "Traceback (most recent call last):\n  f.star:1:1: in <toplevel>\nError: cannot load lib: fail: no",
    );
    expect(innermostEvaluationError(error)?.backtrace()).toBe(
      [
        "Traceback (most recent call last):",
        "  f.star:1:1: in <toplevel>",
        "  lib.star:2:2: in <toplevel>",
        "  lib.star:1:14: in f",
        "Error in fail: fail: no",
      ].join("\n"),
    );
  });
});

describe("formatError()", () => {
  test("gives every static error a line, in order", () => {
    expect(failureText("print(a)\ndef f(): return bb\nbreak")).toBe(
      [
        "f.star:1:7: undefined: a",
        "f.star:2:17: undefined: bb",
        "f.star:3:1: break not in a loop",
      ].join("\n"),
    );
  });
});

describe("formatTraceback()", () => {
  test("leaves the middle of a deep stack out when it is told to", () => {
    const error = failure(
      "def f(n): return f(n + 1)\nf(0)",
      {},
      { maxDepth: 50 },
    ) as EvaluationError;
    const lines = formatTraceback(error, { maxFrames: 4 }).split("\n");
    expect(lines).toEqual([
      "Traceback (most recent call last):",
      "  f.star:2:2: in <toplevel>",
      "  f.star:1:19: in f",
      `  ... ${error.frames.length - 4} more calls ...`,
      "  f.star:1:19: in f",
      "  f.star:1:19: in f",
      "Error: Starlark stack overflow",
    ]);
    expect(formatTraceback(error).split("\n")).toHaveLength(error.frames.length + 2);
  });
});

describe("formatExcerpt()", () => {
  test("puts a caret under the column", () => {
    const source = "x = 1\n\ty = é + $\n";
    expect(formatExcerpt(source, { file: "f", line: 2, col: 10 })).toBe(
      "   2 | \ty = é + $\n     | \t        ^",
    );
  });

  test("is empty for a line that is not there", () => {
    expect(formatExcerpt("x", { file: "f", line: 9, col: 1 })).toBe("");
  });
});

describe("hintFor()", () => {
  test.each([
    ['x = f"{a}"', "f-strings"],
    ['x = "a" "b"', "not joined"],
    ["x = 1 is None", "x == None"],
    ["x = 2 ** 3", "no ** operator"],
    ["import os", "load("],
    ["x = 1 < 2 < 3", "a < b and b < c"],
    ['x = "a" + 1', "str(x)"],
    ['x = [c for c in "ab"]', "s.elems()"],
    ['x = "%5d" % 1', "widths"],
    ["x = {[]: 1}", "tuple"],
  ])("knows what %j should have been", (source, hint) => {
    expect(hintFor(failure(source), source)).toContain(hint);
  });

  test("has nothing to say on other errors", () => {
    expect(hintFor(failure("x = 1 // 0"), "x = 1 // 0")).toBeUndefined();
  });
});

describe("Thread", () => {
  test("stops at the budget of steps", () => {
    expect(failureText("while True: pass", {}, { maxSteps: 1000 })).toContain(
      "Starlark computation cancelled: too many steps",
    );
  });

  test("looks at its limits every 50,000 steps at most", () => {
    // At some nanoseconds a step this is a few milliseconds, whatever else the machine does.
    const { signal } = new AbortController();
    let looks = 0;
    const counting = new Proxy(signal, {
      get(target, key) {
        if (key === "aborted") looks++;
        return Reflect.get(target, key, target);
      },
    });
    const thread = new Thread({ signal: counting });
    const source = "for i in range(1000000): pass";
    execFile(thread, { filename: "f.star", source, dialect: TILT_DIALECT });
    expect(thread.steps).toBeGreaterThanOrEqual(1_000_000);
    expect(looks).toBeGreaterThanOrEqual(Math.floor(thread.steps / 50_000));
  });

  test("stops at the deadline though the clock is set back meanwhile", () => {
    const { now } = Date;
    const deadline = now() + 30;
    const startedAt = performance.now();
    Date.now = () => now() - 3_600_000;
    try {
      expect(failureText("while True: pass", {}, { deadline })).toContain("deadline exceeded");
    } finally {
      Date.now = now;
    }
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("stops at the deadline", () => {
    const started = Date.now();
    const message = failureText("while True: pass", {}, { deadline: started + 30 });
    expect(message).toContain("Starlark computation cancelled: deadline exceeded");
    expect(Date.now() - started).toBeLessThan(2000);
  });

  test.each([
    "while True: pass",
    "def f(): return f()\nwhile True: f2 = [x for x in range(1000000000)]",
    "x = [1]\nwhile True: x = sorted(x * 2)[:1000]",
  ])("stops %j when the flag is raised", (source) => {
    const cancelFlag = new Int32Array(new SharedArrayBuffer(4));
    Atomics.store(cancelFlag, 0, 1);
    expect(failureText(source, {}, { cancelFlag })).toContain(
      "Starlark computation cancelled: interrupted",
    );
  });

  // A few lines make a value whose text, or comparison, has no end. Without a charge for each part no limit is seen.
  const twice = "x = (1,)\nfor _ in range(150): x = (x, x)\n";
  const twins = `y = (1,)\nfor _ in range(150): y = (y, y)\n`;
  const record = "x = struct(a = 1)\nfor _ in range(150): x = struct(a = x, b = x)\n";
  test.each([
    ["repr", `${twice}repr(x)`],
    ["str", `${twice}str([x])`],
    ["interpolation", `${twice}"%s" % (x,)`],
    ["format", `${twice}"{}".format(x)`],
    ["print", `${twice}print(x)`],
    ["equality", `${twice}${twins}x == y`],
    ["equality of dicts", `${twice}${twins}{1: x} == {1: y}`],
    ["order", `${twice}${twins}x < y`],
    ["in", `${twice}${twins}x in [y]`],
    ["sorted", `${twice}${twins}sorted([x, y])`],
    ["the hash of a struct", `${record}{x: 1}`],
    ["json.encode", `${twice}json.encode(x)`],
    ["fail", `${twice}fail(x)`],
    ["ints", "x = 3\nfor _ in range(40):\n    x = x * x\n    [y for y in range(10000)]"],
  ])("stops %s of a huge value at the deadline", (_, source) => {
    const started = Date.now();
    const names = Object.fromEntries(makeTestValues());
    expect(failureText(source, names, { deadline: started + 50 })).toContain(
      "Starlark computation cancelled: deadline exceeded",
    );
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test("refuses to multiply ints without end", () => {
    const source = "x = 3\nfor _ in range(40): x = x * x";
    expect(failureText(source)).toContain("Error: excessive integer size");
  });

  test("stops conversion of a huge value at the deadline", () => {
    const convert = makeBuiltin("convert", (_thread, [value]) => {
      fromStarlark(value!);
      return null;
    });
    const message = failureText(`${twice}convert(x)`, { convert }, { deadline: Date.now() + 50 });
    expect(message).toContain("deadline exceeded");
  });

  test("stops when a builtin cancels it, or its signal is aborted", () => {
    const controller = new AbortController();
    const stop = makeBuiltin("stop", (thread) => {
      thread.cancel("enough");
      return null;
    });
    expect(failureText("stop()\nwhile True: pass", { stop })).toContain("cancelled: enough");
    const abort = makeBuiltin("abort", () => {
      controller.abort(new Error("asked to"));
      return null;
    });
    expect(
      failureText("abort()\nwhile True: pass", { abort }, { signal: controller.signal }),
    ).toContain("cancelled: asked to");
  });

  test("tells a builtin where it was called, and the whole stack", () => {
    let stack: CallFrame[] = [];
    const where = makeBuiltin("where", (thread) => {
      stack = thread.callStack();
      const { line, col } = thread.callerPosition();
      return fromJsString(`${line}:${col}\n${thread.stackText()}`);
    });
    const globals = run("def f():\n    return where()\nx = f()\n", { where });
    expect(toJsString(globals.get("x") as StarlarkString)).toBe(
      [
        "2:17",
        "Traceback (most recent call last):",
        "  f.star:3:6: in <toplevel>",
        "  f.star:2:17: in f",
        "  <builtin>: in where",
      ].join("\n"),
    );
    expect(stack.map(({ name }) => name)).toEqual(["<toplevel>", "f", "where"]);
  });

  test("goes on after a builtin caught an error from a call back", () => {
    const attempt = makeBuiltin("attempt", (thread, [fn]) => {
      try {
        return thread.call(fn!, []);
      } catch (error) {
        return fromJsString((error as Error).message);
      }
    });
    const globals = run(
      "def f(): return [x // 0 for x in [1]]\nx = attempt(f)\ny = attempt(lambda: 5)",
      { attempt },
    );
    expect(reprText(globals.get("x")!)).toBe('"floored division by zero"');
    expect(globals.get("y")).toBe(5);
    expect(failureText("def f(): return 1 // 0\nattempt(f)\nf()", { attempt })).toContain(
      "f.star:3:2: in <toplevel>",
    );
  });

  test("refuses calls deeper than its limit", () => {
    const text = failureText("def f(n): return f(n + 1)\nf(0)", {}, { maxDepth: 50 });
    expect(text).toContain("Error: Starlark stack overflow");
    expect(text.split("\n").length).toBeGreaterThan(50);
  });

  test("turns a JavaScript stack overflow into a Starlark error", () => {
    expect(failureText("def f(n): return f(n + 1)\nf(0)")).toContain(
      "Error: Starlark stack overflow",
    );
    expect(failureText(`x = ${"[".repeat(100_000)}`)).toContain("excessive nesting");
    expect(run(`x = ${Array(100_000).fill("1").join("+")}`).get("x")).toBe(100_000);
  });

  test("prints through its handler", () => {
    const lines: string[] = [];
    run(
      'print("é", 1, [b"x"], sep = "-")',
      {},
      { print: (message) => lines.push(toJsString(message)) },
    );
    expect(lines).toEqual(['é-1-[b"x"]']);
  });
});

describe("EvaluationExit", () => {
  test("passes all frames as it is, and no loader keeps it", () => {
    const exit = makeBuiltin("exit", (_thread, [code]) => {
      throw new EvaluationExit(code);
    });
    let runs = 0;
    const loader = makeLoader((thread, path) => {
      runs++;
      return execFile(thread, {
        filename: path,
        source: "exit(7)",
        predeclared: new Map([["exit", exit]]),
      });
    });
    const attempt = () =>
      run("load('m', 'x')", {}, { load: (thread, module) => loader.load(thread, module) });
    expect(attempt).toThrow(EvaluationExit);
    expect(attempt).toThrow(EvaluationExit);
    expect(runs).toBe(2);
  });
});

describe("makeLoader()", () => {
  const sources: Record<string, string> = {
    a: "load('b', 'x')",
    b: "load('a', 'x')\ny = 1",
    ok: "x = [1]",
    bad: "1 // 0",
  };
  const runs: string[] = [];
  const loader = makeLoader(
    (thread, path) => {
      runs.push(path);
      return execFile(thread, { filename: path, source: sources[path]! });
    },
    { onCycle: (path) => new Error(`Circular load: ${path}`) },
  );
  const load = (thread: Thread, module: string) => loader.load(thread, module);

  test("runs a module once, also one that fails", () => {
    run("load('ok', 'x')\nload('ok', y = 'x')\ny = x", {}, { load });
    expect(failureText("load('bad', 'x')", {}, { load })).toBe(
      failureText("load('bad', 'x')", {}, { load }),
    );
    expect(runs).toEqual(["ok", "bad"]);
  });

  test("reports a cycle", () => {
    expect(failureText("load('a', 'x')", {}, { load })).toContain("Circular load: a");
  });
});

class Money extends HostValue {
  readonly typeName = "money";
  readonly cents: number;
  note: Value = null;

  constructor(cents: number) {
    super();
    this.cents = cents;
  }

  repr(): StarlarkString {
    return fromJsString(`money(${this.cents})`);
  }

  override str(): StarlarkString {
    return fromJsString(`${this.cents / 100} €`);
  }

  override truth(): boolean {
    return this.cents !== 0;
  }

  override hash(): number {
    return this.cents;
  }

  override equals(other: Value): boolean {
    return other instanceof Money && other.cents === this.cents;
  }

  override compare(other: Value): number {
    return this.cents - (other as Money).cents;
  }

  override getAttr(name: string): Value | undefined {
    return name === "cents" ? this.cents : undefined;
  }

  override attrNames(): string[] {
    return ["cents"];
  }

  override setAttr(name: string, value: Value): void {
    if (name !== "note") throw new NoSuchAttributeError(`no .${name} field`);
    this.note = value;
  }

  override getIndex(index: Value): Value {
    return toStarlark([this.cents, index]);
  }

  override length(): number {
    return 2;
  }

  override *iterate(): Iterable<Value> {
    yield 1;
    yield 2;
  }

  override contains(value: Value): boolean {
    return value === 1;
  }

  override binary(op: BinaryOperator, other: Value): Value | undefined {
    return op === "+" && other instanceof Money ? new Money(this.cents + other.cents) : undefined;
  }

  override call(_thread: Thread, args: readonly Value[]): Value {
    return toStarlark([...args]);
  }
}

describe("HostValue", () => {
  test("takes part in everything that it implements", () => {
    const m = new Money(150);
    const source = `
m.note = "n"
x = [m.cents, m == n, m < n, bool(m), str(m), repr(m), "%s|{}".format(m) % m, m[5], len(m), list(m), 1 in m, m + n,
     {m: 1}[n2], m(1, 2), type(m), dir(m), [e for e in m], hasattr(m, "cents"), (m,) == (n2,)]
a, b = m
`;
    const globals = run(source, { m, n: new Money(200), n2: new Money(150) });
    expect(reprText(globals.get("x")!)).toBe(
      '[150, False, True, True, "1.5 €", "money(150)", "1.5 €|1.5 €", [150, 5], 2, [1, 2], True, money(350), 1, [1, 2], ' +
        '"money", ["cents"], [1, 2], True, True]',
    );
    expect(m.note).toBe("n");
  });

  test.each([
    ["m.sents", "money has no .sents field or method (did you mean .cents?)"],
    ["m - 1", "unknown binary op: money - int"],
    ["-m", "unknown unary op: - money"],
    ["m[0:1]", "invalid slice operand money"],
  ])("%s fails with the usual words", (source, message) => {
    expect(failure(`x = ${source}`, { m: new Money(1) }).message).toBe(message);
  });

  test("a refused field gets a suggestion", () => {
    expect(failure("m.cent = 1", { m: new Money(1) }).message).toBe(
      "no .cent field (did you mean .cents?)",
    );
  });
});

/** The lengths of words, by word. */
class Lengths extends HostValue {
  readonly typeName = "lengths";
  readonly words: readonly string[];

  constructor(...words: string[]) {
    super();
    this.words = words;
  }

  repr(): StarlarkString {
    return fromJsString("lengths");
  }

  override iterate(): Iterable<Value> {
    return this.words.map(fromJsString);
  }

  override entries(): [Value, Value][] {
    return this.words.map((word) => [fromJsString(word), word.length]);
  }

  override getIndex(index: Value): Value {
    return (index as string).length;
  }

  override contains(value: Value): boolean {
    return this.words.some((word) => fromJsString(word) === value);
  }
}

describe("HostValue.entries()", () => {
  test("makes a mapping of a value", () => {
    const source = `
d = {"x": 9}
d.update(m)
x = [dict(m), d, (lambda **k: k)(**m), "%(dré)s" % m, list(m), dict(**m)]
`;
    const globals = run(source, { m: new Lengths("dré", "y") });
    expect(reprText(globals.get("x")!)).toBe(
      '[{"dré": 3, "y": 1}, {"x": 9, "dré": 3, "y": 1}, {"dré": 3, "y": 1}, "4", ["dré", "y"], {"dré": 3, "y": 1}]',
    );
  });

  test("is what ** asks for", () => {
    expect(failure("dict(**m)", { m: new Money(1) }).message).toBe(
      "argument after ** must be a mapping, not money",
    );
  });
});

describe("StarlarkModule", () => {
  test("shows the text that it is given", () => {
    const path = new StarlarkModule("os.path", { join: 1 }, { text: "[module: os.path]" });
    const globals = run("x = str(m) + str(n) + type(m)", {
      m: path,
      n: new StarlarkModule("n", {}),
    });
    expect(toJsString(globals.get("x") as StarlarkString)).toBe(
      '[module: os.path]<module "n">module',
    );
  });
});

describe("toStarlark() and fromStarlark()", () => {
  test("are each other's inverse on data", () => {
    const data = { a: [1, 2.5, "é", null, true], b: { c: 2n ** 70n } };
    expect(fromStarlark(toStarlark(data))).toEqual(data);
    expect(fromStarlark(toStarlark(new Map<unknown, unknown>([[1, 2]])))).toEqual(
      new Map([[1, 2]]),
    );
  });

  test("keep __proto__ an ordinary key", () => {
    const dict = new StarlarkDict();
    dict.setString("__proto__", 1);
    expect(Object.keys(fromStarlark(dict) as object)).toEqual(["__proto__"]);
  });

  test("refuse functions", () => {
    expect(() => fromStarlark(build)).toThrow("unsupported type *starlark.Builtin");
  });
});

describe("analysis", () => {
  test("referencedGlobals() gives the names that are not the file's own", () => {
    const file = parseFile(
      "f",
      "load('m', 'x')\ndef f(a): return g(a, len(x))\ny = f(k8s_yaml('a'))\nprint(y)",
    );
    expect([...referencedGlobals(file)].sort()).toEqual(["g", "k8s_yaml", "len", "print"]);
  });

  test("loadedModules() gives the load statements", () => {
    const file = parseFile("f", "load('a', 'x')\nload('ext://b', 'y')");
    expect(loadedModules(file).map(({ module, position }) => [module, position.line])).toEqual([
      ["a", 1],
      ["ext://b", 2],
    ]);
  });

  test("checkFile() reports without running", () => {
    expect(() => checkFile(parseFile("f", "x = y"))).toThrow(ResolveError);
    checkFile(parseFile("f", "x = y"), { isPredeclared: (name) => name === "y" });
  });

  test("nearestName() finds what was meant", () => {
    expect(nearestName("Docker_buid", ["docker_build", "custom_build"])).toBe("docker_build");
    expect(nearestName("x", ["abc"])).toBeUndefined();
  });
});

describe("EvaluationError", () => {
  test("keeps the error that a builtin threw as its cause", () => {
    const cause = new Error("disk on fire");
    const burn = makeBuiltin("burn", () => {
      throw cause;
    });
    const error = failure("burn()", { burn });
    expect(error).toBeInstanceOf(EvaluationError);
    expect(error.cause).toBe(cause);
    expect(error.position).toMatchObject({ line: 1, col: 5 });
  });
});
