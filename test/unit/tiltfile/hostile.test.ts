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

  test("for a value that holds itself", () => {
    expect(failureOf("x = []\nx.append(x)\nencode_json(x)")).toContain(
      "Maximum call stack size exceeded",
    );
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
