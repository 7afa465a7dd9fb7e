import { describe, expect, test } from "vitest";
import { parseYamlStream } from "../../../src/manifests/yaml.ts";
import { dumpYaml } from "../../../src/manifests/yaml-dump.ts";
import { YamlError } from "../../../src/manifests/yaml-error.ts";
import { parseYamlOrJsonStream } from "../../../src/manifests/yaml-or-json.ts";
import { goAnswers, outcome, sortedJson } from "./go-answers.ts";

/** Go's JSON with the few escapes that it writes and we do not. */
function normalized(json: string): string {
  return json
    .replace(/\\u(003c|003e|0026|2028|2029)/g, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    .replace(/\\u007f/g, "\x7f");
}

describe("parseYamlStream()", () => {
  test.each(goAnswers("yaml"))("reads $text as sigs.k8s.io/yaml does", ({ text, out, error }) => {
    const ours = outcome(() => parseYamlStream(text, { file: "f" }).map(({ value }) => value));
    // Documents before a bad one are not given out: the text as a whole is refused.
    if (error !== undefined) return expect(ours).toEqual({ error });
    const documents = out!.filter((document) => document !== "" && document !== "null");
    return expect("value" in ours && ours.value.map(sortedJson)).toEqual(documents.map(normalized));
  });

  test("gives each document the line on which it starts", () => {
    const text = "---\na: 1\n---\n# empty\n---\nb: 2\n--- # three\nc: 3\n";
    expect(parseYamlStream(text, { file: "f" }).map(({ line }) => line)).toEqual([1, 6, 8]);
  });

  test("names file, line and document of an error", () => {
    const text = "a: 1\n---\nb: 2\nc: d: e\n";
    const error = outcomeError(() => parseYamlStream(text, { file: "/x/f.yaml" }));
    expect(error).toBeInstanceOf(YamlError);
    expect(error).toMatchObject({ file: "/x/f.yaml", line: 4, document: 2 });
    expect(error).toMatchObject({ file: "/x/f.yaml", line: 4, document: 2 });
  });

  test("refuses a bomb of aliases quickly", () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x]"
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(", ")}]`,
    );
    const startedAt = performance.now();
    expect(outcome(() => parseYamlStream(levels.join("\n"), { file: "f" }))).toEqual({
      error: "error converting YAML to JSON: yaml: document contains excessive aliasing",
    });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test("copies what an alias stands for", () => {
    const [document] = parseYamlStream("a: &a {x: 1}\nb: *a\n", { file: "f" });
    const { a, b } = document!.value as { a: object; b: object };
    expect(a).toEqual(b);
    expect(a).not.toBe(b);
  });

  test("refuses binary data", () => {
    const text = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]).toString("latin1");
    expect(outcome(() => parseYamlStream(text, { file: "f" }))).toEqual({
      error: "error converting YAML to JSON: yaml: control characters are not allowed",
    });
  });

  test("survives deep nesting", () => {
    const deep = "[".repeat(100_000);
    expect(outcome(() => parseYamlStream(deep, { file: "f" }))).toHaveProperty("error");
    const value = parseYamlStream(`${"[".repeat(500)}${"]".repeat(500)}`, { file: "f" });
    expect(value).toHaveLength(1);
  });

  test("keeps __proto__ a key like any other", () => {
    const [document] = parseYamlStream("__proto__: {polluted: true}\n", { file: "f" });
    expect(Object.keys(document!.value as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("dumpYaml()", () => {
  test.each(goAnswers("yaml-dump"))(
    "writes $text as sigs.k8s.io/yaml does",
    ({ text, out, error }) => {
      // Go cannot read back some control characters that it wrote itself; we can.
      if (error !== undefined) return expect(error).toContain("yaml: ");
      return expect(dumpYaml(JSON.parse(text))).toBe(out![0]);
    },
  );

  test("writes what parseYamlStream() reads back", () => {
    for (const { text } of goAnswers("yaml-dump")) {
      const value = JSON.parse(text);
      const [document] = parseYamlStream(dumpYaml({ value }), { file: "f" });
      expect((document!.value as { value: unknown }).value).toEqual(value);
    }
  });

  test("leaves out undefined members and writes big integers", () => {
    expect(dumpYaml({ a: undefined, b: 9007199254740993n })).toBe("b: 9007199254740993\n");
  });
});

function outcomeError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("parseYamlOrJsonStream()", () => {
  test.each(goAnswers("yaml-or-json"))("reads $text as k8s_yaml() does", ({ text, out, error }) => {
    const ours = outcome(() =>
      parseYamlOrJsonStream(text, { file: "f" }).map(({ value }) => value),
    );
    if (error !== undefined) return expect(ours).toEqual({ error });
    const documents = out!.filter((document) => document !== "" && document !== "null");
    return expect("value" in ours && ours.value.map(sortedJson)).toEqual(
      documents.map((document) => sortedJson(JSON.parse(document))),
    );
  });

  test("gives each value its line", () => {
    const text = '{"a": 1}\n---\nb: 1\n---\nc: 1\n';
    const lines = (all: string) =>
      parseYamlOrJsonStream(all, { file: "f" }).map(({ line }) => line);
    expect(lines(text)).toEqual([1, 2, 5]);
    expect(lines('\n{"a":\n 1} {}\n\n{"b": 2}')).toEqual([2, 3, 5]);
  });

  test("names the place of an error", () => {
    const error = expect.objectContaining({ line: 2, document: 2 });
    expect(() => parseYamlOrJsonStream('{"a": 1}\n---\n{"b" 1}\n', { file: "f" })).toThrow(error);
  });
});
