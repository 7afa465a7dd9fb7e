import { describe, expect, test } from "vitest";
import {
  labelsOf,
  mismatchOf,
  parseBaked,
  type Wanted,
} from "../../../../src/cluster/baked/baked-image.ts";
import { bakedKey, settingsKey } from "../../../../src/cluster/baked/baked-key.ts";
import { staleness } from "../../../../src/cluster/baked/stock.ts";

const wanted = {
  kindVersion: "0.33.0",
  inside: "kind: Cluster\n",
  nodeImage: "kindest/node:v1.34.4",
  nodeImageId: "sha256:node",
};

function image(of: Wanted & { nodeImageId: string }, extra: object = {}) {
  return {
    Id: "sha256:baked",
    RepoTags: ["tilt-ci/node:1"],
    Created: "2026-11-23T07:00:00Z",
    Size: 2_160_000_000,
    Config: { Labels: { ...labelsOf(of, ["redis:7", "alpine"]), other: "label" } },
    ...extra,
  };
}
const parse = (...images: readonly object[]) => parseBaked(JSON.stringify(images));
const baked = (of: Wanted & { nodeImageId: string } = wanted) => parse(image(of))[0]!;

describe("parseBaked()", () => {
  test("reads what labelsOf() wrote, newest first", () => {
    const older = image(wanted, {
      Id: "sha256:older",
      Created: "2026-11-22T07:00:00Z",
      RepoTags: null,
    });
    const [first, second] = parse(older, image(wanted));
    expect(first).toEqual({
      id: "sha256:baked",
      tags: ["tilt-ci/node:1"],
      key: bakedKey(wanted, "sha256:node"),
      settings: settingsKey(wanted),
      recipe: expect.stringMatching(/^[0-9a-f]{12}$/),
      kindVersion: "0.33.0",
      nodeImage: "kindest/node:v1.34.4",
      nodeImageId: "sha256:node",
      with: ["redis:7", "alpine"],
      createdAt: "2026-11-23T07:00:00Z",
      sizeBytes: 2_160_000_000,
    });
    expect(second).toMatchObject({ id: "sha256:older", tags: [] });
  });

  test("passes over other images", () => {
    expect(parse({ Id: "1", Created: "", Size: 0, Config: { Labels: null } })).toEqual([]);
    expect(parseBaked("")).toEqual([]);
  });
});

describe("bakedKey()", () => {
  test("is another one for another node image, kind, or configuration", () => {
    const keys = [
      bakedKey(wanted, "sha256:node"),
      bakedKey(wanted, "sha256:other"),
      bakedKey({ ...wanted, kindVersion: "0.34.0" }, "sha256:node"),
      bakedKey({ ...wanted, inside: "kind: Cluster\na: 1\n" }, "sha256:node"),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("mismatchOf()", () => {
  test("is nothing for what was baked for the same", () => {
    expect(mismatchOf(baked(), wanted)).toBeUndefined();
  });

  test("does not mind another name of the same node image", () => {
    expect(mismatchOf(baked(), { ...wanted, nodeImage: "mirror/node:1" })).toBeUndefined();
  });

  test("goes by the name where the node image is not on the machine", () => {
    const absent = { ...wanted, nodeImageId: undefined };
    expect(mismatchOf(baked(), absent)).toBeUndefined();
    expect(mismatchOf(baked(), { ...absent, nodeImage: "kindest/node:v1.35.0" })).toBe(
      "its node image is kindest/node:v1.34.4",
    );
  });

  test("tells kind's own node image from a given one", () => {
    const own = { ...wanted, nodeImage: undefined };
    expect(mismatchOf(baked(), { ...own, nodeImageId: undefined })).toBe(
      "its node image is kindest/node:v1.34.4",
    );
    expect(mismatchOf(baked(own), { ...own, nodeImageId: undefined })).toBeUndefined();
    expect(mismatchOf(baked(own), { ...wanted, nodeImageId: "sha256:other" })).toBe(
      "its node image is kind's own",
    );
  });

  test.each([
    [{ nodeImageId: "sha256:other" }, "its node image is kindest/node:v1.34.4"],
    [{ kindVersion: "0.34.0" }, "it was baked with kind 0.33.0, here is 0.34.0"],
    [{ inside: "other" }, "it has another kind configuration"],
  ])("says why it does not fit: %j", (change, reason) => {
    expect(mismatchOf(baked(), { ...wanted, ...change })).toBe(reason);
  });

  test("does not take what another recipe baked", () => {
    expect(mismatchOf({ ...baked(), recipe: "0" }, wanted)).toBe(
      "it was baked by another version of tilt-ci",
    );
  });
});

describe("staleness()", () => {
  const here = { kindVersion: "0.33.0", present: "sha256:node" };

  test("keeps what a run may still use, whatever its configuration", () => {
    const other = baked({ ...wanted, inside: "other" });
    expect(staleness(baked(), [other], here)).toBeUndefined();
    expect(staleness(baked(), [], { ...here, present: undefined })).toBeUndefined();
  });

  test.each([
    [baked(), [baked()], here, "a newer one has taken its place"],
    [baked(), [], { ...here, present: "sha256:new" }, "kindest/node:v1.34.4 is another image now"],
    [
      baked(),
      [],
      { ...here, kindVersion: "0.34.0" },
      "it was baked with kind 0.33.0, here is 0.34.0",
    ],
    [{ ...baked(), recipe: "0" }, [], here, "it was baked by another version of tilt-ci"],
  ] as const)("gives up what no run can use (%#)", (image, newer, now, reason) => {
    expect(staleness(image, newer, now)).toBe(reason);
  });
});
