import { describe, expect, test } from "vitest";
import {
  baseImages,
  dockerfileImages,
  rewriteDockerfile,
  tiltDockerfileImages,
} from "../../../src/manifests/dockerfile.ts";
import { familiarReference } from "../../../src/manifests/image-reference.ts";

const MULTI = `# syntax=docker/dockerfile:1
ARG BASE=base
ARG X Y=2
FROM --platform=$BUILDPLATFORM \${BASE}:1 AS b
FROM y:\${Y}
COPY --chown=1 --from=tool /a /b
COPY \\
  # why
  --from=b \\
  /c /d
RUN <<EOF
FROM bogus
EOF
copy --from="quoted/tool" x y
`;

function refs(contents: string, args = {}): string[] {
  return dockerfileImages(contents, args).map(({ reference }) => familiarReference(reference));
}

describe("dockerfileImages()", () => {
  test("finds FROM with defaults of ARG and COPY --from, stage names too", () => {
    expect(refs(MULTI)).toEqual(["base:1", "y:2", "tool", "b", "quoted/tool"]);
  });

  test.each([
    ["FROM $A", { A: "x" }, ["x"]],
    ["ARG A=d\nFROM $A", {}, ["d"]],
    ["ARG A=d\nFROM $A", { A: "x/y:1" }, ["x/y:1"]],
    ["ARG A=1\nARG B=v$A\nFROM x:$B", {}, ["x:v1"]],
    ["ARG A=1\nARG B=v$A\nFROM x:$B", { A: "2" }, ["x:v2"]],
    ["FROM ${A:-fallback}", {}, ["fallback"]],
    ["FROM ${A:-fallback}", { A: "set" }, ["set"]],
    ["FROM x${A:+:tag}", { A: "set" }, ["x:tag"]],
    ['ARG TAG="latest"\nFROM foo:${TAG}', {}, ["foo:latest"]],
    ["FROM $UNKNOWN", {}, []],
    ["FROM UPPER", {}, []],
    ["FROM scratch", {}, ["scratch"]],
    ["bogus bogus", {}, []],
    ["", {}, []],
    ["from x", {}, ["x"]],
    ["RUN --mount=type=bind,from=tool,target=/x true", {}, []],
  ])("reads %j with %j", (contents, args, expected) => {
    expect(refs(contents, args)).toEqual(expected);
  });
});

describe("tiltDockerfileImages()", () => {
  test.each([
    ["ARG A=d\nFROM $A", {}, ["d"]],
    ["ARG A=d\nFROM $A", { A: "x/y:1" }, ["x/y:1"]],
    ["ARG A=d\nFROM $A", { A: "" }, []],
    ["ARG A=1\nARG A=2\nFROM x:$A", {}, ["x:1"]],
    ["ARG A=1\nFROM y\nARG A\nFROM x:$A", {}, ["y", "x:1"]],
    ["ARG A=1\nARG B=v$A\nFROM x:$B", {}, ["x:v"]],
    ["ARG A=1 B\nFROM x:$B", {}, ["x:1"]],
  ])("reads %j with %j", (contents, args, expected) => {
    expect(
      tiltDockerfileImages(contents, args).map(({ reference }) => familiarReference(reference)),
    ).toEqual(expected);
  });
});

describe("baseImages()", () => {
  test("leaves out the file's own stages, stage numbers and scratch", () => {
    const contents =
      "FROM go AS build\nFROM scratch\nCOPY --from=build a b\nCOPY --from=0 a b\nCOPY --from=tool a b\nFROM BUILD\nFROM go";
    expect(baseImages(contents).map(({ written }) => written)).toEqual(["go", "tool"]);
  });
});

describe("rewriteDockerfile()", () => {
  test("replaces matching images and leaves every other byte", () => {
    const rewritten = rewriteDockerfile(
      MULTI,
      {},
      new Map([
        ["base", "localhost:5000/base:tilt-1"],
        ["tool", "localhost:5000/tool:tilt-2"],
      ]),
    );
    expect(rewritten).toBe(
      MULTI.replace("${BASE}:1", "localhost:5000/base:tilt-1").replace(
        "--from=tool",
        "--from=localhost:5000/tool:tilt-2",
      ),
    );
  });

  test("prefers an exact reference and keeps to it when it has a tag", () => {
    const replacements = new Map([
      ["foo:v1", "one"],
      ["foo", "any"],
      ["bar:v1", "bar-one"],
    ]);
    expect(
      rewriteDockerfile(
        "FROM foo:v1\nFROM foo:v2\nFROM docker.io/library/foo\nFROM bar",
        {},
        replacements,
      ),
    ).toBe("FROM one\nFROM any\nFROM any\nFROM bar");
  });

  test("keeps CRLF line ends and counts them", () => {
    expect(rewriteDockerfile("# c\r\nFROM a\r\nFROM b\r\n", {}, new Map([["b", "c:1"]]))).toBe(
      "# c\r\nFROM a\r\nFROM c:1\r\n",
    );
  });
});
