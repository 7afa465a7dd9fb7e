import { describe, expect, test } from "vitest";
import { parseDockerignore } from "../../../src/tiltfile/context-filters.ts";
import { evaluateFiles } from "./evaluation.ts";

const POD =
  "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: app}]}\n";

function filtersOf(call: string, files: Readonly<Record<string, string>> = {}): unknown {
  const { plan, error } = evaluateFiles({
    "pod.yaml": POD,
    ...files,
    Tiltfile: `${call}\nk8s_yaml("pod.yaml")`,
  });
  if (error !== undefined) throw error;
  const [image] = plan!.images;
  return image?.type === "docker"
    ? image.contextFilters.map(({ patterns }) => patterns)
    : undefined;
}

describe("parseDockerignore()", () => {
  test.each([
    ["# comment\n\n  a/ \n", ["a"]],
    ["/a\n./b\n../c", ["a", "b", "../c"]],
    ["!keep\n! /x", ["!keep", "!x"]],
    ["\ufeffa\r\nb", ["a", "b"]],
    ["a//b/../c", ["a/c"]],
  ])("%j", (text, patterns) => {
    expect(parseDockerignore(text)).toEqual(patterns);
  });
});

describe("the matchers of a build's context", () => {
  const DOCKERFILE = 'dockerfile_contents="FROM scratch"';

  test("leave the Tiltfile out", () => {
    expect(filtersOf(`docker_build("app", ".", ${DOCKERFILE})`)).toEqual([["Tiltfile"]]);
  });

  test("prefer the Dockerfile's own .dockerignore", () => {
    expect(
      filtersOf('docker_build("app", ".")', {
        Dockerfile: "FROM scratch",
        ".dockerignore": "a",
        "Dockerfile.dockerignore": "b",
      }),
    ).toEqual([["Tiltfile"], ["b"]]);
  });

  test("take only= literally", () => {
    expect(filtersOf(`docker_build("app", ".", ${DOCKERFILE}, only=["a", "!b"])`)).toEqual([
      ["Tiltfile"],
      ["**", "!a", "!!b"],
    ]);
  });

  test("know a repository by its directory, not a worktree's file", () => {
    const call = `docker_build("app", ".", ${DOCKERFILE})`;
    expect(filtersOf(call, { ".git/HEAD": "x" })).toContainEqual([".git"]);
    expect(filtersOf(call, { ".git": "gitdir: x" })).not.toContainEqual([".git"]);
  });
});
