import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { cacheAt, cacheOptionFor, checkCacheOptions } from "../../../src/images/cache-options.ts";

describe("cacheOptionFor()", () => {
  test.each([
    ["type=local,dest=/cache", "type=local,dest=/cache/example_app"],
    ["type=local,src=/cache,tag=x", "type=local,src=/cache/example_app,tag=x"],
    ["type=gha", "type=gha,scope=tilt-ci-example_app"],
    ["type=gha,scope=main,mode=max", "type=gha,scope=main-example_app,mode=max"],
    ["type=registry,ref=ghcr.io/me/cache", "type=registry,ref=ghcr.io/me/cache:example_app"],
    [
      "type=registry,ref=localhost:5000/cache,mode=max",
      "type=registry,ref=localhost:5000/cache:example_app,mode=max",
    ],
    [
      "type=registry,ref=ghcr.io/me/cache:main",
      "type=registry,ref=ghcr.io/me/cache:main-example_app",
    ],
    ["ghcr.io/me/cache", "type=registry,ref=ghcr.io/me/cache:example_app"],
    ["type=s3,bucket=b", "type=s3,bucket=b,name=tilt-ci-example_app"],
    ["type=inline", "type=inline"],
  ])("gives an image its own place in %s", (option, expected) => {
    expect(cacheOptionFor(option, "example/app")).toBe(expected);
  });
});

describe("cacheAt()", () => {
  test.each([
    ["none", [], []],
    ["gha", ["type=gha,mode=max,ignore-error=true"], ["type=gha"]],
    [
      "registry=ghcr.io/me/cache",
      ["type=registry,ref=ghcr.io/me/cache,mode=max,ignore-error=true"],
      ["type=registry,ref=ghcr.io/me/cache"],
    ],
  ])("%s", (where, to, from) => {
    expect(cacheAt(where)).toEqual({ to, from });
    expect(() => checkCacheOptions([...to, ...from])).not.toThrow();
  });

  test.each(["", "s3", "registry=", "registry=a,mode=min"])("refuses %j", (where) => {
    expect(() => cacheAt(where)).toThrow(UsageError);
  });
});

describe("checkCacheOptions()", () => {
  test("accepts the types of BuildKit", () => {
    expect(() =>
      checkCacheOptions(["type=gha", "type=local,dest=/c", "ghcr.io/me/cache"]),
    ).not.toThrow();
  });
  test.each(["type=tape", "dest=/c"])("throws UsageError for %s", (option) => {
    expect(() => checkCacheOptions([option])).toThrow(UsageError);
  });
});
