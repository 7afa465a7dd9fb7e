import { describe, expect, test } from "vitest";
import {
  clusterNameProblem,
  createRunId,
  isRunClusterName,
  randomBase36,
  reuseClusterName,
} from "../../../src/cluster/names.ts";

describe("createRunId()", () => {
  test("gives tci- and 8 base36 characters, another one each time", () => {
    const ids = Array.from({ length: 200 }, createRunId);
    expect(new Set(ids).size).toBe(200);
    for (const id of ids) expect(id).toMatch(/^tci-[0-9a-z]{8}$/);
    expect(ids.every(isRunClusterName)).toBe(true);
  });
});

test("randomBase36() uses every character", () => {
  expect(new Set(randomBase36(5000)).size).toBe(36);
});

test("isRunClusterName() tells our names from others", () => {
  expect(isRunClusterName("tci-0123abcd-9z9z")).toBe(true);
  for (const name of ["tci-dev", "kind", "tci-0123abcd-control-plane", "xtci-0123abcd"])
    expect(isRunClusterName(name)).toBe(false);
});

test("reuseClusterName() prefixes once", () => {
  expect(reuseClusterName("dev")).toBe("tci-dev");
  expect(reuseClusterName("tci-dev")).toBe("tci-dev");
});

test.each([
  ["a", undefined],
  ["my-cluster.1", undefined],
  ["x".repeat(40), undefined],
  ["x".repeat(41), "it is longer than 40 characters"],
  ["", "it may hold only lower-case letters, digits, dots and hyphens"],
  ["My", "it may hold only lower-case letters, digits, dots and hyphens"],
  ["a b", "it may hold only lower-case letters, digits, dots and hyphens"],
  ["-a", "it must start and end with a letter or digit"],
  ["a-", "it must start and end with a letter or digit"],
])("clusterNameProblem() of %j is %j", (name, problem) => {
  expect(clusterNameProblem(name)).toBe(problem);
});
