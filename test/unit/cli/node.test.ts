import { describe, expect, test } from "vitest";
import { formatNodes } from "../../../src/cli/node.ts";

const row = {
  id: "sha256:1",
  tags: ["tilt-ci/node:c4a96060386e"],
  key: "c4a96060386e",
  settings: "s",
  recipe: "r",
  kindVersion: "0.33.0",
  nodeImage: "kindest/node:v1.34.4",
  nodeImageId: "sha256:2",
  with: [],
  createdAt: "2026-11-23T07:00:00Z",
  sizeBytes: 2_160_000_000,
  mismatch: undefined,
};

describe("formatNodes()", () => {
  test("is a table that says which node fits, and why others do not", () => {
    const old = {
      ...row,
      tags: [],
      nodeImage: "",
      createdAt: "2026-11-18T07:00:00Z",
      mismatch: "it has another kind configuration",
    };
    expect(formatNodes([row, old], Date.parse("2026-11-23T07:45:00Z"))).toBe(
      [
        "TAG                        KEY           NODE IMAGE            AGE     SIZE     FITS",
        "tilt-ci/node:c4a96060386e  c4a96060386e  kindest/node:v1.34.4  45 min  2.16 GB  yes",
        "<none>                     c4a96060386e  kind's own            5 d     2.16 GB  no: it has another kind configuration",
        "",
      ].join("\n"),
    );
  });

  test("says how to make one when there is none", () => {
    expect(formatNodes([], 0)).toBe("There is no baked node: tilt-ci node bake makes one.\n");
  });
});
