import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { RECIPE_SOURCES } from "../../../../src/cluster/baked/baked-key.ts";

const folder = resolve(import.meta.dirname, "../../../../src/cluster/baked");

/** What is in a baked node, or how a start reads it: a change makes every baked node stale. */
const RECIPE_FILES = [
  "bake-node.ts",
  "bake.ts",
  "bound-objects.ts",
  "create-bound.ts",
  "list-objects.ts",
  "scripts.ts",
  "single-node.ts",
  "../node-images.ts", // how images of --with get in
];

/** Which baked node to take, and how to run a container of it: of no meaning for those that are there. */
const OTHER_FILES = [
  "baked-image.ts",
  "baked-key.ts",
  "choose-warm.ts",
  "machine.ts",
  "run-args.ts",
  "start-node.ts",
  "stock.ts",
  "warm-start.ts",
];

/** Of the files' names and texts, whatever their line ends. */
function digestOf(files: readonly string[], read: (file: string) => string): string {
  const hash = createHash("sha256");
  for (const file of [...files].sort())
    hash.update(JSON.stringify([file, read(file).replaceAll("\r\n", "\n")]));
  return hash.digest("hex").slice(0, 12);
}

const readSource = (file: string) => readFileSync(join(folder, file), "utf8");

describe("RECIPE_SOURCES", () => {
  test("is the digest of the recipe's sources", () => {
    const digest = digestOf(RECIPE_FILES, readSource);
    const message = `The recipe of baked nodes has changed: set RECIPE_SOURCES in src/cluster/baked/baked-key.ts to "${digest}"`;
    expect(RECIPE_SOURCES, message).toBe(digest);
  });

  test("would be another one after a change to any of them", () => {
    for (const changed of RECIPE_FILES) {
      const read = (file: string) => readSource(file) + (file === changed ? "\n" : "");
      expect(digestOf(RECIPE_FILES, read), changed).not.toBe(RECIPE_SOURCES);
    }
  });

  test("leaves no source of the folder undecided", () => {
    const known = [...RECIPE_FILES, ...OTHER_FILES].filter((file) => !file.startsWith("../"));
    expect(readdirSync(folder).sort()).toEqual(known.sort());
  });
});
