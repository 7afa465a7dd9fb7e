// Times Starlark programs: node scripts/bench-starlark.mjs [--runs N] [--programs FOLDER] [--go PATH] [--cli FILE] [FILTER]
// Each program is run by starlark-go and by this project in turn, so that both meet the same load on the machine.
// Prints the median seconds and their ratio, and the geometric mean of all ratios but that of the start-up program,
// which is compared with an empty Node instead. Fails when the two print different text, or one of them fails.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    programs: { type: "string", default: "../shared/bench/starlark" },
    go: { type: "string", default: "starlark" },
    cli: { type: "string", default: "dist/cli.cjs" },
  },
});
const runs = Number(values.runs);
const missing = [
  existsSync(values.programs) ? [] : `No programs in ${values.programs}: --programs names a folder`,
  spawnSync(values.go, ["-c", ""]).error === undefined
    ? []
    : `No starlark-go as "${values.go}": --go names one (go install go.starlark.net/cmd/starlark@latest)`,
].flat();
for (const line of missing) console.error(line);
if (missing.length > 0) process.exit(2);
const filter = positionals[0] ?? "";
const folder = mkdtempSync(join(tmpdir(), "bench-starlark-"));

/** The folder's own programs, and the large one that its generator writes beside itself. */
function listPrograms() {
  const source = resolve(values.programs);
  const files = readdirSync(source)
    .filter((file) => file.endsWith(".star"))
    .map((file) => join(source, file));
  const generator = join(source, "gen-big-literal.mjs");
  if (existsSync(generator)) {
    writeFileSync(join(folder, "gen.mjs"), readFileSync(generator));
    spawnSync(process.execPath, [join(folder, "gen.mjs")]);
    files.push(join(folder, "big_literal.star"));
  }
  return files.filter((file) => basename(file).includes(filter)).sort();
}

function once([command, ...args]) {
  const started = performance.now();
  const result = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const seconds = (performance.now() - started) / 1000;
  return { seconds, text: `${result.stdout}${result.stderr}`.trim(), status: result.status };
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

/** Runs commands in turn; each one's median time and its last text. */
function compare(commands) {
  const results = commands.map(() => ({ times: [], text: "", status: 0 }));
  for (let i = 0; i < runs; i++) {
    commands.forEach((command, k) => {
      const { seconds, text, status } = once(command);
      results[k].times.push(seconds);
      Object.assign(results[k], { text, status: results[k].status || status });
    });
  }
  return results.map((result) => ({ ...result, seconds: median(result.times) }));
}

const own = (file) => [process.execPath, values.cli, "starlark", file];
const go = (file) => [values.go, "-recursion", "-globalreassign", "-set", file];
const ratios = [];
let bad = 0;
const cell = (text) => String(text).padStart(12);
console.log(`${"program".padEnd(18)}${cell("starlark-go")}${cell("tilt-ci")}${cell("ratio")}`);
for (const file of listPrograms()) {
  const name = basename(file, ".star");
  const [theirs, ours] = compare([go(file), own(file)]);
  const ratio = ours.seconds / theirs.seconds;
  const differs = ours.text !== theirs.text || ours.status !== 0 || theirs.status !== 0;
  if (differs) bad++;
  if (name !== "startup") ratios.push(ratio);
  const note = differs ? "  DIFFERS" : "";
  console.log(
    `${name.padEnd(18)}${cell(theirs.seconds.toFixed(3))}${cell(ours.seconds.toFixed(3))}${cell(ratio.toFixed(2))}${note}`,
  );
}
const empty = join(folder, "empty.star");
writeFileSync(empty, "");
const [node, start] = compare([[process.execPath, "-e", "0"], own(empty)]);
console.log(
  `an empty file takes ${(start.seconds / node.seconds).toFixed(2)} times as long as node -e 0`,
);
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
if (ratios.length > 0) console.log(`geometric mean without start-up: ${mean.toFixed(2)}`);
rmSync(folder, { recursive: true, force: true });
console.log(`${ratios.length + 1 - bad} passed, ${bad} failed`);
process.exitCode = bad === 0 ? 0 : 1;
