// npm run demo: the main job on examples/hello against a real kind cluster with a registry, and nothing left behind.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { prepareBuild, prepareDependencies, prepareRig } from "./prepare.mjs";
import { run, say, secondsSince } from "./progress.mjs";

const example = resolve("examples/hello");
const reports = join(example, "tilt-ci-report");

/** The report of the run, or none: a run that fails early may have written nothing. */
function readReport(/** @type {number} */ sinceMs) {
  try {
    const report = JSON.parse(readFileSync(join(reports, "report.json"), "utf8"));
    return Date.parse(report.startedAt) >= sinceMs ? report : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Containers, volumes, networks and processes that bear the name of the run, and volumes without a name that nothing
 * uses: other runs on this machine are none of our business.
 */
async function leftovers(
  /** @type {string} */ runId,
  /** @type {NodeJS.ProcessEnv} */ env,
  /** @type {ReadonlySet<string>} */ unusedBefore,
) {
  const listings = [
    ["docker", "ps", "--all", "--format", "container {{.Names}}"],
    ["docker", "volume", "ls", "--format", "volume {{.Name}}"],
    ["docker", "network", "ls", "--format", "network {{.Name}}"],
    ["ps", "-A", "-o", "args="],
  ];
  const outcomes = await Promise.all(
    listings.map((argv) => run("Looking for leftovers", argv, { env, afterSignal: true })),
  );
  const named = outcomes
    .flatMap(({ stdout }) => stdout.split("\n"))
    .filter((line) => line.includes(runId));
  const unused = [...(await unusedVolumes(env))].filter((name) => !unusedBefore.has(name));
  return [...named, ...unused];
}

async function unusedVolumes(/** @type {NodeJS.ProcessEnv} */ env) {
  const list = [
    "docker",
    "volume",
    "ls",
    "--filter",
    "dangling=true",
    "--format",
    "volume {{.Name}}",
  ];
  const { stdout } = await run("Looking at volumes", list, { env, afterSignal: true });
  return new Set(stdout.split("\n").filter(Boolean));
}

await prepareDependencies();
await prepareBuild();
const { env, missing } = await prepareRig();
if (missing) {
  say(`Cannot run the demo: ${missing}`);
  process.exit(3);
}

const unusedBefore = await unusedVolumes(env);
const started = Date.now();
console.log("$ cd examples/hello && node ../../dist/cli.cjs ci");
const { exitCode } = await run("The main job", [process.execPath, resolve("dist/cli.cjs"), "ci"], {
  cwd: example,
  env,
  show: "everything",
});
const took = secondsSince(started);
const report = readReport(started);
const left = report ? await leftovers(report.run.id, env, unusedBefore) : [];

console.log(`\nVerdict:     ${report?.verdict ?? "none"}, exit code ${exitCode}, in ${took}`);
for (const name of report ? ["report.html", "report.json", "junit.xml", "logs"] : []) {
  console.log(`Report:      ${join(reports, name)}`);
}
if (report) console.log(`Left behind: ${left.length > 0 ? left.join(", ") : "nothing"}`);
else console.log("Reports:     none were written");
process.exitCode = exitCode || (report && left.length === 0 ? 0 : 1);
