import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { REASON_CODES } from "../../../src/model/reason.ts";

/* The corpus itself: test/cluster/broken.test.ts and test/full/broken.test.ts run it. */

const directory = new URL("../../fixtures/broken/", import.meta.url);
const stacks = readdirSync(directory).filter((name) => existsSync(new URL(name, directory)));

interface Expected {
  readonly exitCode: number;
  readonly firstCause: readonly { readonly code: string }[];
}
const expected = (name: string) =>
  JSON.parse(readFileSync(new URL(`${name}/expected.json`, directory), "utf8")) as Expected;

describe("the corpus of broken stacks", () => {
  test("has a stack for every reason code", () => {
    const known = new Set(stacks.flatMap((name) => expected(name).firstCause.map((c) => c.code)));
    // A cancelled run has no cause: its phases have the code.
    if (stacks.some((name) => expected(name).exitCode === 130)) known.add("Cancelled");
    expect(REASON_CODES.filter((code) => !known.has(code))).toEqual([]);
  });

  test.each(stacks)("%s says in its first line what is broken", (name) => {
    expect(readFileSync(new URL(`${name}/Tiltfile`, directory), "utf8")).toMatch(/^# .+\.\n/);
  });
});
