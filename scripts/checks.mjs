// The checks of this repo: what `npm run ok` runs, and `npm test` as its first part.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { run, say } from "./progress.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */

// what has not changed is not looked at again
const cache = "node_modules/.cache/tilt-ci";

/** @type {readonly { name: string, argv: readonly string[], optional?: string }[]} */
const staticChecks = [
  { name: "types", argv: ["tsc", "--incremental", "--tsBuildInfoFile", `${cache}/tsc.json`] },
  { name: "lint and format", argv: ["biome", "check", "--error-on-warnings"] },
  {
    name: "rooms",
    argv: ["depcruise", "src", "--cache", `${cache}/depcruise`, "--cache-strategy", "content"],
  },
  { name: "dead code", argv: ["knip"] },
  {
    name: "workflows",
    argv: ["actionlint"],
    optional: "actionlint is not installed; npm test installs it",
  },
];

/** @param {readonly Totals[]} parts */
export function sum(parts) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const part of parts) {
    total.passed += part.passed;
    total.failed += part.failed;
    total.skipped += part.skipped;
  }
  return total;
}

/** @param {Totals} totals */
export function formatTotals({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Runs one check and shows its output if it fails. Each counts as one test.
 * @returns {Promise<Totals>}
 */
export async function runCheck({ name, argv, optional }, /** @type {NodeJS.ProcessEnv} */ env) {
  const { exitCode, stdout, stderr } = await run(`Checking ${name}`, argv, { env });
  if (exitCode === 127 && optional) {
    say(`- ${name}: skipped, ${optional}`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  if (exitCode === 0) {
    say(`✓ ${name}`);
    return { passed: 1, failed: 0, skipped: 0 };
  }
  say(`${stdout}${stderr}`.trimEnd());
  say(`✗ ${name}: ${argv.join(" ")} ended with exit code ${exitCode}`);
  return { passed: 0, failed: 1, skipped: 0 };
}

/**
 * Types, lint, room boundaries, dead code and workflows, two at a time.
 * @returns {Promise<Totals>}
 */
export async function runStaticChecks(env = process.env) {
  const waiting = [...staticChecks];
  const results = [];
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      results.push(await runCheck(check, withTools(env)));
    }
  };
  await Promise.all([work(), work()]);
  return sum(results);
}

/** The PATH with this project's own programs, and those of the rig where an earlier `npm test` has built them. */
function withTools(/** @type {NodeJS.ProcessEnv} */ env) {
  const cache =
    env.RIG_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tilt-ci-rig");
  return {
    ...env,
    PATH: [resolve("node_modules/.bin"), env.PATH, join(cache, "bin")].join(delimiter),
  };
}

/**
 * Runs the tests of some vitest projects; a run that ends without totals counts as one failure.
 * @param {readonly string[]} projects
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Totals>}
 */
export async function runTests(projects, env = process.env) {
  const folder = mkdtempSync(join(tmpdir(), "tilt-ci-tests-"));
  const totalsPath = join(folder, "totals.json");
  try {
    const argv = [
      "vitest",
      "run",
      "--passWithNoTests",
      ...projects.flatMap((name) => ["--project", name]),
    ];
    const reporters = ["--reporter=default", "--reporter=./scripts/totals-reporter.mjs"];
    const { exitCode } = await run(
      `Running the tests of ${projects.join(" and ")}`,
      [...argv, ...reporters],
      {
        // what tests, and those that they kill, leave in their temporary directory goes with it
        env: { ...withTools(env), TILT_CI_TOTALS: totalsPath, TMPDIR: folder },
        show: "everything",
      },
    );
    const totals = readTotals(totalsPath, exitCode);
    if (exitCode !== 0 && totals.failed === 0) totals.failed = 1;
    return totals;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns {Totals} */
function readTotals(/** @type {string} */ path, /** @type {number} */ exitCode) {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  // no totals: there was no test in these projects, or vitest did not come to its end
  return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
}
