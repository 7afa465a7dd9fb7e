import { expect, test } from "vitest";
import { formatTotals, sum } from "../../../scripts/checks.mjs";
import { exportsOf, lastMessage } from "../../../scripts/prepare.mjs";
import { totalsOf } from "../../../scripts/totals-reporter.mjs";

type State = "passed" | "failed" | "skipped" | "pending";

/** A test file as vitest reports it, as far as totalsOf() looks at it. */
function file({ tests = [] as State[], errors = 0, hookErrors = 0 }) {
  return {
    errors: () => Array(errors).fill(new Error("does not load")),
    children: {
      allSuites: () => [{ errors: () => Array(hookErrors).fill(new Error("beforeAll")) }],
      allTests: () => tests.map((state) => ({ result: () => ({ state }) })),
    },
  } as never;
}

test("totalsOf() counts tests by their state", () => {
  const totals = totalsOf([
    file({ tests: ["passed", "skipped"] }),
    file({ tests: ["passed", "failed"] }),
  ]);
  expect(totals).toEqual({ passed: 2, failed: 1, skipped: 1 });
});

test("totalsOf() counts a file that does not load, a hook that throws and a stray error as failed", () => {
  const totals = totalsOf(
    [file({ errors: 1 }), file({ tests: ["skipped"], hookErrors: 1 })],
    [new Error()],
  );
  expect(totals).toEqual({ passed: 0, failed: 3, skipped: 1 });
});

test("totalsOf() counts a test that was not run to its end as failed", () => {
  expect(totalsOf([file({ tests: ["pending"] })])).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("formatTotals() writes the line that CI reads", () => {
  const parts = [
    { passed: 3, failed: 0, skipped: 1 },
    { passed: 4, failed: 2, skipped: 0 },
  ];
  expect(formatTotals(sum(parts))).toBe("7 passed, 2 failed, 1 skipped");
});

test("exportsOf() reads what test/rig/up prints, with this process's PATH", () => {
  const text = "export PATH=/cache/bin:$PATH\nexport TILT_CI_NODE_IMAGE=kindest/node:v1\n";
  expect(exportsOf(text)).toEqual({
    PATH: `/cache/bin:${process.env.PATH}`,
    TILT_CI_NODE_IMAGE: "kindest/node:v1",
  });
});

test("lastMessage() gives the last message of the rig with the lines that belong to it", () => {
  const text = "rig: building kind …\nrig: no Docker engine answers\n     Install one\n";
  expect(lastMessage(text)).toBe("no Docker engine answers\n     Install one");
});
