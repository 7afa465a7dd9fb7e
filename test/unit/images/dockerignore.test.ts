import { describe, expect, test } from "vitest";
import {
  IgnoreMatcher,
  IgnorePatternError,
  literalIgnorePattern,
  normalizeIgnorePattern,
} from "../../../src/images/dockerignore.ts";

const excludes = (patterns: readonly string[], path: string) =>
  new IgnoreMatcher(patterns).excludes(path);

describe("IgnoreMatcher", () => {
  // What Docker's documentation and moby's matcher (patternmatcher v0.6) make of single patterns.
  test.each([
    ["a file by its path", "src/main.go", "src/main.go", true],
    ["only at that path", "main.go", "src/main.go", false],
    ["a directory with all in it", "node_modules", "node_modules/a/b.js", true],
    ["a directory with a trailing slash", "docs/", "docs/a.md", true],
    ["a file even with a trailing slash", "docs/", "docs", true],
    ["a leading slash as the context", "/docs", "docs/a.md", true],
    ["a path cleaned of dots", "./a/../docs", "docs", true],
    ["one name by a star", "*.md", "README.md", true],
    ["no slash by a star", "*.md", "docs/README.md", false],
    ["a level by a star", "*/temp*", "somedir/temporary.txt", true],
    ["one level by a star", "*/temp*", "a/b/temporary.txt", false],
    ["one character by a question mark", "temp?", "tempa", true],
    ["no nothing by a question mark", "temp?", "temp", false],
    ["no slash by a question mark", "a?b", "a/b", false],
    ["any depth by two stars", "**/*.go", "a/b/c.go", true],
    ["depth zero by two stars", "**/*.go", "c.go", true],
    ["all by two stars", "**", "a/b", true],
    ["what is below by two stars at the end", "abc/**", "abc/d/e", true],
    ["not the directory by two stars at the end", "abc/**", "abc", false],
    ["a name at any depth", "**/foo", "a/foo/b", true],
    ["not a longer name at any depth", "**/foo", "a/barfoo", false],
    ["a suffix where no slash follows two stars", "**foo", "a/barfoo", true],
    ["two stars inside a name", "a**/*.txt", "a/dir/file.txt", true],
    ["a class", "[ab].txt", "b.txt", true],
    ["not outside a class", "[ab].txt", "c.txt", false],
    ["a range", "a[b-d]e", "ace", true],
    ["a negated class", "a[^b-d]e", "aze", true],
    ["a slash by a negated class, like moby", "a[^b]c", "a/c", true],
    ["an escaped star", "a\\*b", "a*b", true],
    ["only the star by an escaped star", "a\\*b", "axb", false],
    ["an escaped bracket in a class", "[\\]x]", "]", true],
    ["upper case only as written", "README.md", "readme.md", false],
    ["dots literally", "abc.def", "abcZdef", false],
    ["dots literally beside a star", "*.d", "axd", false],
    ["plus and parentheses literally", "a+(b)*", "a+(b)c", true],
    ["braces literally", "{a}*", "{a}b", true],
    ["characters beyond the basic plane", "a?b", "a\u{1f600}b", true],
    ["hidden files by a star", "*", ".env", true],
    ["names with spaces", "a b", "a b/c", true],
  ])("excludes() matches %s", (_, pattern, path, expected) => {
    expect(excludes([pattern], path)).toBe(expected);
  });

  test.each([
    ["brings a file back", ["*.md", "!README.md"], "README.md", false],
    ["leaves the others out", ["*.md", "!README.md"], "NOTES.md", true],
    [
      "counts by order: a later pattern excludes again",
      ["*.md", "!README*.md", "README-secret.md"],
      "README-secret.md",
      true,
    ],
    [
      "counts by order: a later ! wins",
      ["*.md", "README-secret.md", "!README*.md"],
      "README-secret.md",
      false,
    ],
    ["brings a file of an excluded directory back", ["docs", "!docs/a.md"], "docs/a.md", false],
    ["brings a directory back with all in it", ["**", "!src"], "src/a/b.go", false],
    ["keeps what is beside it out", ["**", "!src"], "srcx/a", true],
    ["does nothing before the exclusion", ["!a.md", "*.md"], "a.md", true],
    ["takes blanks after !", ["*", "! keep"], "keep", false],
    ["takes a slash after !", ["*", "!/keep"], "keep", false],
    ["brings back by a pattern at any depth", ["*", "!**/*.go"], "a/b.go", false],
  ])("excludes() with ! %s", (_, patterns, path, expected) => {
    expect(excludes(patterns, path)).toBe(expected);
  });

  test("match() remembers which patterns matched a parent", () => {
    const matcher = new IgnoreMatcher(["dir/x", "!dir"]);
    const parent = matcher.match("dir");
    expect(parent.excluded).toBe(false);
    // Nothing was excluded at "dir", so its "!" had nothing to bring back, and "dir/x" stays out.
    expect(matcher.match("dir/x", parent.match).excluded).toBe(true);
  });

  test.each(["!", "!/", "a\\", "[a", "a[", "[]"])(
    "throws for the malformed pattern %s",
    (pattern) => {
      expect(() => new IgnoreMatcher([pattern])).toThrow(IgnorePatternError);
    },
  );

  test("mayIncludeUnder() is false where no ! pattern can match", () => {
    const matcher = new IgnoreMatcher(["**", "!src/app"]);
    expect(matcher.mayIncludeUnder("src")).toBe(true);
    expect(matcher.mayIncludeUnder("node_modules")).toBe(false);
    expect(new IgnoreMatcher(["**", "!**/*.go"]).mayIncludeUnder("node_modules")).toBe(true);
  });
});

describe("normalizeIgnorePattern()", () => {
  test.each([
    ["  docs/  ", "docs"],
    ["/docs", "docs"],
    ["a//b/./c", "a/b/c"],
    ["!/docs/", "!docs"],
    ["! docs", "!docs"],
    ["   ", undefined],
    ["/", "/"],
  ])("spells %j as %j", (line, expected) => {
    expect(normalizeIgnorePattern(line)).toBe(expected);
  });
});

describe("literalIgnorePattern()", () => {
  test.each([
    "plain",
    "a*b",
    "a[1].txt",
    "!important",
    "#notes",
    "back\\slash",
    " lead",
    "trail ",
    "a|b*",
    "{2}?",
    "ä/ö",
  ])("matches %j and nothing beside it", (path) => {
    const matcher = new IgnoreMatcher([literalIgnorePattern(path)]);
    expect(matcher.excludes(path)).toBe(true);
    expect(matcher.excludes(`${path}/below`)).toBe(true);
    expect(matcher.excludes(`${path}x`)).toBe(false);
    expect(matcher.excludes(`x${path}`)).toBe(false);
  });
});
