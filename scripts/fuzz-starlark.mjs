// Runs random Starlark programs: node scripts/fuzz-starlark.mjs [--count N] [--seed N] [--go PATH]
// Each must end, with a Starlark error at worst, twice with the same result. With --go, the path of starlark-go's
// command, each is run by that as well, and must print the same or fail too. Exits 1 at the first disagreement.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    go: { type: "string" },
  },
});
const count = Number(values.count);
const firstSeed = Number(values.seed);
/** Characters that a program may print. */
const MAX_OUTPUT = 1_000_000;
const folder = mkdtempSync(join(tmpdir(), "fuzz-starlark-"));

async function loadInterpreter() {
  const outfile = join(folder, "fuzz.cjs");
  await build({
    stdin: {
      contents: `export * from "./src/starlark/index.ts"; export * from "./test/unit/starlark/fuzz/program.ts";`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile,
    logLevel: "warning",
  });
  return createRequire(import.meta.url)(outfile);
}

const lib = await loadInterpreter();

function runOwn(source) {
  const lines = [];
  let length = 0;
  const print = (message, printing) => {
    lines.push(lib.toJsString(message));
    length += message.length;
    if (length > MAX_OUTPUT) printing.cancel("it prints too much");
  };
  const thread = new lib.Thread({ print, maxSteps: 500_000 });
  try {
    lib.execFile(thread, { filename: "fuzz.star", source, dialect: lib.TILT_DIALECT });
    return { text: lines.join("\n"), failed: false };
  } catch (error) {
    if (!(error instanceof lib.StarlarkError)) throw error;
    return { text: `${lines.join("\n")}\n${lib.formatError(error)}`, failed: true };
  }
}

function runGo(source) {
  const file = join(folder, "fuzz.star");
  writeFileSync(file, source);
  const { stdout, stderr, status } = spawnSync(
    values.go,
    ["-recursion", "-globalreassign", "-set", file],
    {
      encoding: "utf8",
      timeout: 20_000,
      maxBuffer: 1 << 28,
    },
  );
  // A null status is a time-out; 2 is a panic of starlark-go itself.
  return {
    text: (stdout + stderr).trim(),
    failed: status !== 0,
    skipped: status === null || status === 2,
  };
}

/** What is wrong with a program's results, if anything is. */
function judge(source) {
  let first;
  try {
    first = runOwn(source);
    const second = runOwn(source);
    if (second.text !== first.text) return `two runs differ:\n${first.text}\n---\n${second.text}`;
  } catch (error) {
    return `crash: ${error.stack}`;
  }
  if (values.go === undefined || /cancelled: |maximum recursion|excessive/.test(first.text))
    return undefined;
  const theirs = runGo(source);
  if (theirs.skipped || theirs.text.includes("maximum recursion")) return undefined;
  if (theirs.failed !== first.failed)
    return `starlark-go ${theirs.failed ? "fails" : "succeeds"}:\n${theirs.text}`;
  if (!first.failed && theirs.text !== first.text.trim())
    return `starlark-go prints:\n${theirs.text}\nwe:\n${first.text}`;
  return undefined;
}

let failures = 0;
for (let seed = firstSeed; seed < firstSeed + count && failures === 0; seed++) {
  const program = lib.generateProgram(seed);
  const source = seed % 3 === 0 ? lib.mutateProgram(program, seed) : program;
  const problem = judge(source);
  if (problem === undefined) continue;
  failures++;
  console.error(`seed ${seed}: ${problem}\n---\n${source}`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${count - failures} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
