import { describe, expect, test } from "vitest";
import { decodeGoJson, readJsonStream } from "../../../src/manifests/go-json.ts";
import { encodeGoJson } from "../../../src/manifests/go-json-encode.ts";
import { goAnswers, outcome, sortedJson } from "./go-answers.ts";

describe("readJsonStream()", () => {
  test.each(goAnswers("json"))("begins to read $text as Go does", ({ text, out, error }) => {
    const [first, ...others] = readJsonStream(text).items;
    const problem = readJsonStream(text).error;
    if (error === undefined) {
      expect(sortedJson(first!.value)).toBe(sortedJson(JSON.parse(out![0]!)));
      if (others.length === 0 && problem !== undefined) expect(problem.offset).toBeGreaterThan(0);
    } else {
      expect(first).toBeUndefined();
      expect(problem?.message ?? "EOF").toBe(error);
    }
  });

  test("reads one value after the other", () => {
    const { items, end, error } = readJsonStream('{"a": 1}\n[2]"x" y');
    expect(items.map(({ offset }) => offset)).toEqual([0, 9, 12]);
    expect(end).toBe(15);
    expect(error).toMatchObject({
      message: "invalid character 'y' looking for beginning of value",
      offset: 16,
    });
  });
});

describe("decodeGoJson()", () => {
  test.each([
    ['{"a": 1.0, "b": 10}', () => ({ a: 1.0, b: 10n })],
    ["9223372036854775807", () => 9223372036854775807n],
    ["[true, null, -0]", () => [true, null, 0n]],
    ['"\\ud83d"', () => "\ufffd"],
    ["1]", () => 1n],
  ])("decodes %s with integers apart from floats", (text, expected) => {
    expect(decodeGoJson(text)).toEqual(expected());
  });

  test.each([
    ["1e5", 'strconv.ParseInt: parsing "1e5": invalid syntax'],
    ["9223372036854775808", 'strconv.ParseInt: parsing "9223372036854775808": value out of range'],
    ["1.5e999", 'strconv.ParseFloat: parsing "1.5e999": value out of range'],
    ["1 2", "found multiple JSON values"],
    ["", "EOF"],
    ["[1", "unexpected EOF"],
    ["{a: 1}", "invalid character 'a' looking for beginning of object key string"],
    ["é", "invalid character 'Ã' looking for beginning of value"],
  ])("refuses %s in Go's words", (text, error) => {
    expect(outcome(() => decodeGoJson(text))).toEqual({ error });
  });

  test("refuses endless nesting", () => {
    expect(outcome(() => decodeGoJson("[".repeat(20_000)))).toHaveProperty("error");
  });
});

describe("encodeGoJson()", () => {
  test.each([
    [{ b: [1, 2.5], a: null }, '{\n  "a": null,\n  "b": [\n    1,\n    2.5\n  ]\n}\n'],
    [[], "[]\n"],
    [{}, "{}\n"],
    ["<a&b>\u2028", '"\\u003ca\\u0026b\\u003e\\u2028"\n'],
    [1e21, "1e+21\n"],
    [1e-7, "1e-7\n"],
    [{ "\u{1f600}": 1, "\uffee": 2 }, '{\n  "\uffee": 2,\n  "\u{1f600}": 1\n}\n'],
  ])("encodes %j as Go does", (value, expected) => {
    expect(encodeGoJson(value)).toBe(expected);
  });

  test("writes integers that a double cannot hold", () => {
    expect(encodeGoJson(12345678901234567890n)).toBe("12345678901234567890\n");
  });

  test("refuses what JSON has no form for", () => {
    expect(outcome(() => encodeGoJson([Number.NaN]))).toEqual({
      error: "json: unsupported value: NaN",
    });
    expect(outcome(() => encodeGoJson(Number.NEGATIVE_INFINITY))).toEqual({
      error: "json: unsupported value: -Inf",
    });
  });
});
