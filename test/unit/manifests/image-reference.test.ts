import { describe, expect, test } from "vitest";
import {
  familiarName,
  familiarReference,
  formatImageReference,
  imageName,
  matchesImage,
  parseCanonicalReference,
  parseImageReference,
  rewriteForRegistry,
  selectorOf,
  tryParseImageReference,
  withTag,
} from "../../../src/manifests/image-reference.ts";
import { goAnswers, outcome } from "./go-answers.ts";

describe("parseImageReference()", () => {
  test.each(goAnswers("image-references"))(
    "parses $text as Docker does",
    ({ text, out, error }) => {
      const parsed = outcome(() => {
        const reference = parseImageReference(text);
        return [
          formatImageReference(reference),
          familiarReference(reference),
          familiarName(reference),
        ];
      });
      expect(parsed).toEqual(error === undefined ? { value: out } : { error });
      expect(tryParseImageReference(text) === undefined).toBe(error !== undefined);
    },
  );

  test("gives back what formatImageReference() wrote", () => {
    for (const { text, error } of goAnswers("image-references")) {
      if (error !== undefined) continue;
      const reference = parseImageReference(text);
      expect(parseImageReference(formatImageReference(reference))).toEqual(reference);
      expect(parseImageReference(familiarReference(reference))).toEqual(reference);
    }
  });
});

describe("matchesImage()", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  test.each([
    ["foo", "foo", true],
    ["foo", "docker.io/library/foo:v1", true],
    ["foo", `foo@${digest}`, true],
    ["foo", "library/foo", true],
    ["foo", "other/foo", false],
    ["foo:v1", "foo:v1", true],
    ["foo:v1", "index.docker.io/foo:v1", true],
    ["foo:latest", "foo", false],
    ["foo:v1", "foo:v2", false],
    [`foo@${digest}`, "foo:v1", true],
  ])("of %s and %s is %s", (build, used, expected) => {
    expect(matchesImage(selectorOf(parseImageReference(build)), parseImageReference(used))).toBe(
      expected,
    );
  });

  test("with exact takes only the same reference", () => {
    const selector = { reference: parseImageReference("foo"), exact: true };
    expect(matchesImage(selector, parseImageReference("foo"))).toBe(true);
    expect(matchesImage(selector, parseImageReference("foo:v1"))).toBe(false);
  });
});

describe("rewriteForRegistry()", () => {
  test.each([
    ["gcr.io/a/b", "localhost:5000", undefined, "localhost:5000/gcr.io_a_b"],
    ["busybox", "localhost:5000", undefined, "localhost:5000/busybox"],
    ["example/api:v1", "localhost:5000", undefined, "localhost:5000/example_api"],
    ["localhost:5001/x", "reg.io", undefined, "reg.io/localhost_5001_x"],
    ["localhost:5000/x/y:v1", "localhost:5000", undefined, "localhost:5000/x/y"],
    ["a/b", "reg.io", "team/all", "reg.io/team/all"],
  ])("puts %s into %s (single name %s) as %s", (ref, host, singleName, expected) => {
    const registry = { host, ...(singleName === undefined ? {} : { singleName }) };
    expect(imageName(rewriteForRegistry(parseImageReference(ref), registry))).toBe(expected);
  });

  test("refuses a host that makes no reference", () => {
    expect(outcome(() => rewriteForRegistry(parseImageReference("a"), { host: "foo" }))).toEqual({
      error:
        "Error parsing foo/a after applying default registry foo: repository name must be canonical",
    });
  });
});

describe("withTag()", () => {
  test("replaces tag and digest", () => {
    const reference = parseImageReference(`foo:v1@sha256:${"b".repeat(64)}`);
    expect(familiarReference(withTag(reference, "tilt-1"))).toBe("foo:tilt-1");
    expect(outcome(() => withTag(reference, "no good"))).toEqual({ error: "invalid tag format" });
  });
});

describe("parseCanonicalReference()", () => {
  test("wants the normal form", () => {
    expect(parseCanonicalReference("localhost:5000/a").path).toBe("a");
    expect(outcome(() => parseCanonicalReference("a"))).toEqual({
      error: "repository name must be canonical",
    });
  });
});
