import { describe, expect, test } from "vitest";
import { decodeGoJson, parseJsonStream } from "../../../src/manifests/go-json.ts";
import { encodeGoJson } from "../../../src/manifests/go-json-encode.ts";
import { goAnswers, outcome, sortedJson } from "./go-answers.ts";

describe("parseJsonStream()", () => {
  test.each(goAnswers("json"))("begins to read $text as Go does", ({ text, out, error }) => {
    const first = outcome(() => {
      const scanner = decodeFirst(text);
      return scanner;
    });
    if (error !== undefined) return expect(first).toEqual({ error });
    return expect("value" in first && sortedJson(first.value)).toBe(
      sortedJson(JSON.parse(out![0]!)),
    );
  });

  test("reads one value after the other", () => {
    expect(parseJsonStream('{"a": 1}\n[2]"x"').map(({ offset }) => offset)).toEqual([0, 9, 12]);
  });
});

/** The first value, or the error that decodeGoJson() has beside "EOF" and more values. */
function decodeFirst(text: string): unknown {
  if (text.trim() === "") throw new Error("EOF");
  try {
    return parseJsonStream(text)[0]!.value;
  } catch (error) {
    const first = outcome(() => decodeGoJson(text));
    if ("value" in first) return first.value;
    if (first.error !== "found multiple JSON values") throw error;
    // What follows the first value is of no concern here.
    for (let end = text.length; end > 0; end -= 1) {
      const part = outcome(() => parseJsonStream(text.slice(0, end)));
      if ("value" in part && part.value.length > 0) return part.value[0]!.value;
    }
    throw error;
  }
}

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
