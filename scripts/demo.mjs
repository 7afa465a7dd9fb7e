// npm run demo: the main job on examples/hello against a real kind cluster with a registry, and nothing left behind.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { prepareBuild, prepareDependencies, prepareRig } from "./prepare.mjs";
import { run, say, secondsSince } from "./progress.mjs";

const example = resolve("examples/hello");
const reports = join(example, "tilt-ci-report");

/** What Docker holds of a kind: containers, volumes and networks by name. */
async function dockerObjects(/** @type {NodeJS.ProcessEnv} */ env) {
  const listings = [
    ["docker", "ps", "--all", "--format", "container {{.Names}}"],
    ["docker", "volume", "ls", "--format", "volume {{.Name}}"],
    ["docker", "network", "ls", "--format", "network {{.Name}}"],
  ];
  const outcomes = await Promise.all(
    listings.map((argv) => run("Looking at Docker", argv, { env })),
  );
  return new Set(outcomes.flatMap(({ stdout }) => stdout.split("\n").filter(Boolean)));
}

await prepareDependencies();
await prepareBuild();
const { env, missing } = await prepareRig();
if (missing) {
  say(`Cannot run the demo: ${missing}`);
  process.exit(3);
}

const before = await dockerObjects(env);
const started = Date.now();
console.log(`$ cd examples/hello && node ../../dist/cli.cjs ci`);
const { exitCode } = await run(
  "Running the main job",
  [process.execPath, resolve("dist/cli.cjs"), "ci"],
  {
    cwd: example,
    env,
    show: "everything",
  },
);
// kind keeps its network by design: it is shared by all clusters of the machine
const after = await dockerObjects(env);
const left = [...after].filter((name) => !before.has(name) && name !== "network kind");

console.log(
  `\nVerdict: ${exitCode === 0 ? "passed" : `failed (exit code ${exitCode})`} in ${secondsSince(started)}`,
);
console.log(existsSync(reports) ? `Reports: ${reports}` : "Reports: none were written");
console.log(left.length === 0 ? "Left behind: nothing" : `Left behind: ${left.join(", ")}`);
process.exitCode = exitCode !== 0 ? exitCode : left.length > 0 || !existsSync(reports) ? 1 : 0;
