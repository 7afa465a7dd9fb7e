// Runs random Starlark programs: npm run fuzz:starlark [-- --count N] [--seconds N] [--seed N] [--no-go]
// Each must end, with a Starlark error at worst, twice with the same result. Where Go and its module proxy are at hand
// each is run by starlark-go as well (at the version in fuzz-starlark/go.mod), and must print the same, or fail too.
// Goes on after a disagreement, prints it with its seed, and exits 1 at the end, or after 20 of them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seconds: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
    "no-go": { type: "boolean", default: false },
  },
});
const count = Number(values.count);
const firstSeed = Number(values.seed);
const startedAt = Date.now();
const endAt = startedAt + Number(values.seconds) * 1000;
/** Characters that a program may print. */
const MAX_OUTPUT = 1_000_000;
/** Far from where the stack of JavaScript ends, which is not the same in two runs. */
const MAX_DEPTH = 200;
const MAX_FAILURES = 20;
const BATCH = 500;
const PROGRESS_MS = 60_000;
const project = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "fuzz-starlark-"));

async function loadInterpreter() {
  const outfile = join(folder, "fuzz.cjs");
  const modules = [
    "src/starlark/index.ts",
    ...["inputs", "corpus"].map((name) => `test/unit/starlark/fuzz/${name}.ts`),
  ];
  await build({
    stdin: {
      contents: modules.map((module) => `export * from "./${module}";`).join("\n"),
      resolveDir: project,
    },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile,
    logLevel: "warning",
  });
  return createRequire(import.meta.url)(outfile);
}

/** The path of the program that answers for starlark-go, or undefined where it cannot be built. */
function buildGo() {
  if (values["no-go"]) return undefined;
  const program = join(folder, "fuzz-go");
  const { status, error, stderr } = spawnSync("go", ["build", "-o", program, "."], {
    cwd: join(project, "scripts/fuzz-starlark"),
    encoding: "utf8",
  });
  if (status === 0) return program;
  console.log(
    `starlark-go cannot be built, so there is no comparison: ${error?.message ?? stderr.trim()}`,
  );
  return undefined;
}

const lib = await loadInterpreter();
const corpus = lib.readCorpus(project);
const go = buildGo();

function runOwn(source) {
  let text = "";
  const print = (message, printing) => {
    text += `${message}\n`;
    if (text.length > MAX_OUTPUT) printing.cancel("it prints too much");
  };
  const thread = new lib.Thread({ print, maxSteps: 200_000, maxDepth: MAX_DEPTH });
  try {
    lib.execFile(thread, { filename: "fuzz.star", source, dialect: lib.TILT_DIALECT });
    return { text, failed: false };
  } catch (error) {
    if (!(error instanceof lib.StarlarkError)) throw error;
    return { text, failed: true, error: lib.formatError(error) };
  }
}

/** What two runs come to, or what is wrong with them. */
function runTwice(source) {
  try {
    const first = runOwn(source);
    const second = runOwn(source);
    if (second.text === first.text && second.error === first.error) return first;
    const show = ({ text, error }) => text + (error ?? "");
    return { problem: `two runs differ:\n${show(first)}\n---\n${show(second)}` };
  } catch (error) {
    return { problem: `crash: ${error.stack}` };
  }
}

/** starlark-go's answers. A program that takes it down, or that it does not finish, has none. */
function askGo(sources) {
  const answers = [];
  while (answers.length < sources.length) {
    const rest = sources.slice(answers.length);
    const { stdout } = spawnSync(go, {
      input: rest.map((source) => JSON.stringify(source)).join("\n"),
      encoding: "utf8",
      timeout: 120_000,
      maxBuffer: 1 << 29,
      env: { ...process.env, GOMEMLIMIT: "300MiB", GOGC: "800" },
    });
    const lines = stdout.split("\n").slice(0, -1);
    answers.push(...lines.map((line) => JSON.parse(line)));
    if (lines.length < rest.length) answers.push({ Skipped: true });
  }
  return answers;
}

/** Limits that differ, and are met at different places. */
const LIMITS = /cancelled: |maximum recursion|excessive|stack overflow/;

/** Methods of the specification that starlark-go does not have. */
const OURS_ONLY = /isdisjoint|(difference|intersection)_update/;

function isComparable(source, { problem, error }) {
  return problem === undefined && !OURS_ONLY.test(source) && !LIMITS.test(error ?? "");
}

function compare(own, { Text, Failed, Skipped }) {
  if (Skipped) return undefined;
  const theirs = Buffer.from(Text, "base64").toString("latin1");
  if (LIMITS.test(theirs)) return undefined;
  if (Failed !== own.failed)
    return `starlark-go ${Failed ? "fails" : "succeeds"}:\n${theirs}\nwe:\n${own.text}${own.error ?? ""}`;
  if (!Failed && theirs !== own.text) return `starlark-go prints:\n${theirs}\nwe:\n${own.text}`;
  return undefined;
}

/** The number of programs with a defect from a seed on. */
function runBatch(seed, size) {
  const sources = Array.from({ length: size }, (_, i) => lib.fuzzInput(seed + i, corpus));
  const results = sources.map(runTwice);
  // Whatever took more than our limits allow may take starlark-go all the memory there is.
  const asked = sources
    .map((_, i) => i)
    .filter((i) => go !== undefined && isComparable(sources[i], results[i]));
  const answers = new Map();
  for (const [at, answer] of askGo(asked.map((i) => sources[i])).entries())
    answers.set(asked[at], answer);
  let failures = 0;
  results.forEach((own, i) => {
    const answer = answers.get(i);
    const problem = own.problem ?? (answer && compare(own, answer));
    compared += answer?.Skipped === false ? 1 : 0;
    if (problem === undefined) return;
    failures++;
    console.log(`seed ${seed + i}: ${problem}\n--- the program:\n${sources[i]}\n---`);
  });
  return failures;
}

let done = 0;
let compared = 0;
let failed = 0;
let saidAt = startedAt;
const report = () => {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  console.log(
    `${done} programs in ${seconds} s, seeds from ${firstSeed}: ${done - failed} passed, ${failed} failed; ${compared} were run by starlark-go too`,
  );
};
while (done < count && failed < MAX_FAILURES && Date.now() < endAt) {
  const size = Math.min(BATCH, count - done);
  failed += runBatch(firstSeed + done, size);
  done += size;
  if (Date.now() - saidAt < PROGRESS_MS) continue;
  saidAt = Date.now();
  report();
}
rmSync(folder, { recursive: true, force: true });
report();
process.exitCode = failed === 0 ? 0 : 1;
