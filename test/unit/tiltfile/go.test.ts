import { describe, expect, test } from "vitest";
import { formatDuration } from "../../../src/model/duration.ts";
import { parseDuration } from "../../../src/tiltfile/go/duration.ts";
import {
  basename,
  clean,
  dirname,
  isChild,
  join,
  relative,
} from "../../../src/tiltfile/go/path.ts";
import { compareBytes, goList, goQuote, goQuoteRune } from "../../../src/tiltfile/go/quote.ts";
import { compileIgnoringCase } from "../../../src/tiltfile/go/regexp.ts";
import { inSemverRange } from "../../../src/tiltfile/go/semver-range.ts";

describe("paths", () => {
  test.each([
    ["", "."],
    ["/", "/"],
    ["//a//b/", "/a/b"],
    ["a/./b/../c", "a/c"],
    ["../../a", "../../a"],
    ["/../a", "/a"],
    ["a/..", "."],
  ])("clean(%j) is %j", (path, cleaned) => {
    expect(clean(path)).toBe(cleaned);
  });

  test("join leaves empty parts out", () => {
    expect(join("a", "", "b")).toBe("a/b");
    expect(join("/a", "/b")).toBe("/a/b");
    expect(join("", "")).toBe("");
    expect(join()).toBe("");
  });

  test("dirname and basename", () => {
    expect([dirname("foo"), dirname("/a/b"), dirname("/"), dirname("a/b/")]).toEqual([
      ".",
      "/a",
      "/",
      "a/b",
    ]);
    expect([basename(""), basename("/"), basename("/a/b/")]).toEqual([".", "/", "b"]);
  });

  test("relative", () => {
    expect(relative("/a/b", "/a/c/d")).toBe("../c/d");
    expect(relative("/a", "/a")).toBe(".");
    expect(relative("a", "a/b")).toBe("b");
    expect(() => relative("/a", "b")).toThrow("Rel: can't make b relative to /a");
  });

  test("isChild", () => {
    expect(isChild("/a", "/a/b")).toBe(true);
    expect(isChild("/a", "/a")).toBe(true);
    expect(isChild("/a", "/ab")).toBe(false);
  });
});

describe("quoting", () => {
  test.each([
    ["plain", '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["\t\n\u0001\u007f", '"\\t\\n\\x01\\x7f"'],
    ["é😀", '"é😀"'],
    ["\u200b\ufeff", '"\\u200b\\ufeff"'],
  ])("goQuote(%j)", (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });

  test("runes and lists", () => {
    expect(goQuoteRune("'")).toBe("'\\''");
    expect(goList(["a", "b"])).toBe("[a b]");
  });

  test("bytes order UTF-8, unlike UTF-16", () => {
    expect(compareBytes("\u{10000}", "\uffff")).toBeGreaterThan(0);
    expect(compareBytes("a", "a")).toBe(0);
  });
});

describe("durations", () => {
  test.each([
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["100ms", 100],
    ["-2s", -2000],
    ["0", 0],
  ])("parseDuration(%j)", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ["", 'time: invalid duration ""'],
    ["5", 'time: missing unit in duration "5"'],
    ["5x", 'time: unknown unit "x" in duration "5x"'],
    ["h", 'time: invalid duration "h"'],
  ])("parseDuration(%j) fails", (text, message) => {
    expect(() => parseDuration(text)).toThrow(message);
  });

  test.each([
    [0, "0s"],
    [1500, "1.5s"],
    [5_400_000, "1h30m0s"],
    [100, "100ms"],
  ])("formatDuration(%d)", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("regular expressions", () => {
  test("are unanchored and ignore case", () => {
    expect(compileIgnoringCase("job").test("CronJob")).toBe(true);
    expect(compileIgnoringCase("^job$").test("CronJob")).toBe(false);
  });

  test.each([
    ["[", "error parsing regexp: missing closing ]: `[`"],
    ["(", "error parsing regexp: missing closing ): `(?i)(`"],
    ["*", "error parsing regexp: missing argument to repetition operator: `*`"],
    ["(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"],
  ])("compileIgnoringCase(%j) fails", (pattern, message) => {
    expect(() => compileIgnoringCase(pattern)).toThrow(message);
  });
});

describe("ranges of versions", () => {
  test.each([
    [">=0.37.0", true],
    [">0.37.0", false],
    ["0.37.0", true],
    ["0.x", true],
    [">=0.30.0 <0.37.0", false],
    [">=1.0.0 || <0.40.0", true],
    ["!0.37.0", false],
    ["!=0.36.0", true],
  ])("%s", (range, within) => {
    expect(inSemverRange("0.37.0", range)).toBe(within);
  });

  test.each(["bogus", ">=0.1", ">= 0.1.0, <1.0.0", ">=0.37.0.1"])("%j is none", (range) => {
    expect(() => inSemverRange("0.37.0", range)).toThrow(/./);
  });
});
