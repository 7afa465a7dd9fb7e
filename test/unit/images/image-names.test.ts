import { describe, expect, test } from "vitest";
import { contentTag, namesOf, repositoryOf, swapHost } from "../../../src/images/image-names.ts";
import { digest } from "./fixtures.ts";

const registry = { host: "localhost:5001", hostFromContainerRuntime: "reg:5000" };

describe("namesOf()", () => {
  test.each([
    ["busybox", "busybox:t", "localhost:5001/busybox:t", "reg:5000/busybox:t"],
    ["example/api", "example/api:t", "localhost:5001/example_api:t", "reg:5000/example_api:t"],
    ["gcr.io/a/b", "gcr.io/a/b:t", "localhost:5001/gcr.io_a_b:t", "reg:5000/gcr.io_a_b:t"],
    ["api:v1", "api:t", "localhost:5001/api:t", "reg:5000/api:t"],
    ["localhost:5001/x/y", "localhost:5001/x/y:t", "localhost:5001/x/y:t", "reg:5000/x/y:t"],
    ["host.io:80/x", "host.io:80/x:t", "localhost:5001/host.io_80_x:t", "reg:5000/host.io_80_x:t"],
  ])("names %s in a registry", (ref, contentRef, localRef, clusterRef) => {
    expect(namesOf(ref, "t", registry)).toEqual({ contentRef, localRef, clusterRef });
  });

  test("uses one name for all without a registry", () => {
    const contentRef = "example/api:t";
    expect(namesOf("example/api", "t", undefined)).toEqual({
      contentRef,
      localRef: contentRef,
      clusterRef: contentRef,
    });
  });

  test("uses the host for the cluster where it has no other name", () => {
    expect(namesOf("a", "t", { host: "gcr.io/project" }).clusterRef).toBe("gcr.io/project/a:t");
  });

  test("puts the image's base name into the tag with single_name", () => {
    const names = namesOf("gcr.io/a/b", "tilt-1", { ...registry, singleName: "dev" });
    expect(names.localRef).toBe("localhost:5001/dev:b-tilt-1");
    expect(names.clusterRef).toBe("reg:5000/dev:b-tilt-1");
  });
});

test("contentTag() is 16 hex digits of the id", () => {
  expect(contentTag(digest("a"))).toBe("tilt-aaaaaaaaaaaaaaaa");
});

test("swapHost() leaves references of other registries", () => {
  expect(swapHost("localhost:50011/x:t", "localhost:5001", "reg:5000")).toBe("localhost:50011/x:t");
  expect(swapHost("localhost:5001/x:t", "localhost:5001", undefined)).toBe("localhost:5001/x:t");
});

test("repositoryOf() takes a reference of a registry apart", () => {
  expect(repositoryOf("localhost:5001/a/b:t", "localhost:5001")).toEqual({
    repository: "a/b",
    tag: "t",
  });
  expect(repositoryOf("gcr.io/p/a", "gcr.io")).toEqual({ repository: "p/a", tag: "latest" });
});
