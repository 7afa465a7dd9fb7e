import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test("docs/licenses.md lists what the bundle holds", () => {
  expect(() =>
    execFileSync(process.execPath, ["scripts/licenses.mjs", "--check"], { stdio: "pipe" }),
  ).not.toThrow();
});
