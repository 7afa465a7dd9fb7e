// npm test: everything, on a real cluster where one can be had. Prepares what it needs by itself.
// `--full` adds what takes longer. The last line counts: N passed, N failed, N skipped.
import { formatTotals, runCheck, runStaticChecks, runTests, sum } from "./checks.mjs";
import { prepareBrowser, prepareBuild, prepareDependencies, prepareRig } from "./prepare.mjs";
import { say } from "./progress.mjs";

const full = process.argv.includes("--full");
const inCi = Boolean(process.env.CI);

await prepareDependencies();
const parts = [];
// Between the commits of a piece of work dist is behind the sources; what CI sees must not be.
if (inCi)
  parts.push(
    await runCheck(
      { name: "dist is current", argv: ["node", "scripts/check-dist.mjs"] },
      process.env,
    ),
  );
await prepareBuild();
const { env: rigEnv, missing } = await prepareRig();
const browser = await prepareBrowser();
const env = { ...rigEnv, ...browser.env };
parts.push(await runStaticChecks(env), await runTests(["unit", "tiltfile"], env));

const clusterEnv = {
  ...env,
  ...(missing ? { TILT_CI_RIG_MISSING: missing } : { TILT_CI_RIG: "ready" }),
  ...(full ? { TILT_CI_TEST_FULL: "1" } : {}),
};
for (const project of ["rig", "action", "cluster", ...(full ? ["full"] : [])]) {
  parts.push(await runTests([project], clusterEnv));
}
// the same suite once more, its clusters started from a baked node
if (full) parts.push(await runTests(["cluster"], { ...clusterEnv, TILT_CI_TEST_WARM: "1" }));

const totals = sum(parts);
if (browser.missing) say(`Skipped what needs a browser: ${browser.missing}`);
if (missing) say(`Skipped what needs a cluster: ${missing}`);
if (missing && inCi) say("CI is set: a run that skips the cluster does not pass");
console.log(formatTotals(totals));
process.exitCode = totals.failed > 0 || (missing && inCi) ? 1 : 0;
