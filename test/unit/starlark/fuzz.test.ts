import { expect, test } from "vitest";
import {
  execFile,
  formatError,
  StarlarkError,
  Thread,
  TILT_DIALECT,
} from "../../../src/starlark/index.ts";
import { readCorpus } from "./fuzz/corpus.ts";
import { fuzzInput } from "./fuzz/inputs.ts";

// `npm run fuzz:starlark` does the same for longer, and compares with starlark-go where that can be built.
const DURATION_MS = process.env.CI ? 30_000 : 10_000;

/** Characters. */
const MAX_OUTPUT = 1_000_000;

/** Far from where the stack of JavaScript ends, which is not the same in two runs. */
const MAX_DEPTH = 200;

/** All that a program prints, then its error. Any other error than a Starlark one is a crash, and passes. */
function outcome(source: string): string {
  const lines: string[] = [];
  let length = 0;
  const print = (message: string, printing: Thread) => {
    lines.push(message);
    length += message.length;
    if (length > MAX_OUTPUT) printing.cancel("it prints too much");
  };
  const thread = new Thread({ print, maxSteps: 300_000, maxDepth: MAX_DEPTH });
  try {
    execFile(thread, { filename: "fuzz.star", source, dialect: TILT_DIALECT });
  } catch (error) {
    if (!(error instanceof StarlarkError))
      throw new Error(`crash of:\n${source}`, { cause: error });
    lines.push(formatError(error));
  }
  return lines.join("\n");
}

test("execFile() of random programs ends, with the same result each time", {
  timeout: 120_000,
}, () => {
  const end = Date.now() + DURATION_MS;
  const corpus = readCorpus(process.cwd());
  let seed = 1;
  for (; Date.now() < end; seed++) {
    const source = fuzzInput(seed, corpus);
    const started = Date.now();
    const first = outcome(source);
    expect(Date.now() - started, `time of seed ${seed}`).toBeLessThan(10_000);
    expect(outcome(source), `second run of seed ${seed}`).toBe(first);
  }
  expect(seed).toBeGreaterThan(100);
});
