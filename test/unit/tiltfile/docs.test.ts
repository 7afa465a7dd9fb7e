import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { builtinNames } from "../../../src/tiltfile/builtin-names.ts";

/** Universal names of Starlark that the page speaks of too. */
const STARLARK = ["load", "print", "set"];

test("docs/tiltfile.md tells of every builtin, and of none besides", () => {
  const text = readFileSync(new URL("../../../docs/tiltfile.md", import.meta.url), "utf8");
  const known = builtinNames();
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  const values = /The values that these take[\s\S]*?\n\n/.exec(text)?.[0] ?? "";
  const listed = [...rows.map((row) => row.split("|")[1]!), values].flatMap((cell) =>
    [...cell.matchAll(/`([\w.]+)[^`]*`/g)].map(([, name]) => name!),
  );
  expect(listed.toSorted()).toEqual(known);
  const named = [...text.matchAll(/`(\w+(?:\.\w+)*)\(/g)].map(([, name]) => name!);
  expect(named.filter((name) => ![...known, ...STARLARK].includes(name))).toEqual([]);
  expect(
    rows.filter((row) => !["done", "checked", "recorded"].includes(row.split("|")[2]!.trim())),
  ).toEqual([]);
});
