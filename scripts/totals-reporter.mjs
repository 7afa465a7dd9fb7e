// A vitest reporter that writes {passed, failed, skipped} to the file named by TILT_CI_TOTALS. What vitest counts
// nowhere counts as one failure each: a file that does not load, a hook that throws, an error outside of any test.
import { writeFileSync } from "node:fs";

/** @param {readonly import("vitest/node").TestModule[]} modules */
export function totalsOf(modules, /** @type {readonly unknown[]} */ strayErrors = []) {
  const totals = { passed: 0, failed: strayErrors.length, skipped: 0 };
  for (const module of modules) {
    totals.failed += module.errors().length;
    for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // "pending": the run was ended before this test
      totals[state === "pending" ? "failed" : state] += 1;
    }
  }
  return totals;
}

export default class TotalsReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} strayErrors
   */
  onTestRunEnd(modules, strayErrors) {
    const path = process.env.TILT_CI_TOTALS;
    if (path) writeFileSync(path, JSON.stringify(totalsOf(modules, strayErrors)));
  }
}
