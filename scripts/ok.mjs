// npm run ok: types, lint, formatting, room boundaries, dead code, unit tests. Seconds, and no cluster.
import { formatTotals, runStaticChecks, runTests, sum } from "./checks.mjs";
import { prepareDependencies } from "./prepare.mjs";

await prepareDependencies();
const totals = sum([await runStaticChecks(), await runTests(["unit"])]);
console.log(formatTotals(totals));
process.exitCode = totals.failed > 0 ? 1 : 0;
