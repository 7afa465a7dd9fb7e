import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtinNames } from "../../../src/tiltfile/builtin-names.ts";
import { evaluate } from "../../../src/tiltfile/evaluate.ts";
import { TiltfileError } from "../../../src/tiltfile/tiltfile-error.ts";
import { optionsFor, withFiles } from "../../tiltfile/answer.ts";
import { RecordingSyncHost } from "../../tiltfile/sync-host.ts";

/* Every builtin with all kinds of arguments: what is wrong with them is said in Starlark's terms, never in JavaScript's. */

const VALUES = [
  ..."None|True|0|-1|99999999999999999999|1.5|'x'|''|'a/b'|'%zz'|'1h'|'\\x00'|b'x'|blob('x')|blob('')".split(
    "|",
  ),
  ..."[]|['x']|[1]|[None]|('x', 'y')|()|{}|{'a': 'b'}|{1: 2}|{'a': None}|set(['x'])|range(3)|len".split(
    "|",
  ),
  ..."lambda x: x|struct(a=1)|os|os.environ|link('x')|probe(exec=exec_action(['x']))".split("|"),
  ..."sync('.', '/x')|TRIGGER_MODE_MANUAL|port_forward(1)|local_git_repo('.')|'Tiltfile'|'d.yaml'|'.'".split(
    "|",
  ),
  "v1alpha1.probe(period_seconds=1)",
];
/** `FUZZ=1` tries many more. */
const CALLS = process.env.FUZZ ? 400 : 12;
const NO_CALLS = new Set(["exit", "fail"]);
const SMELLS =
  /no TiltfileError|undefined(?!:)|Cannot (?!specify)|is not a function|is not iterable|\[object|BigInt|null bytes|Unexpected token|property|Symbol\(|at .*\.ts:/;

/** A small generator of pseudo-random numbers: the same calls in each run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

const FILES = {
  ".git/HEAD": "x",
  "d.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n",
};

function outputOf(directory: string, call: string): string {
  writeFileSync(join(directory, "Tiltfile"), `print(${call})`);
  const host = new RecordingSyncHost();
  const options = optionsFor(directory, {
    allowLocalExec: false,
    env: { PATH: "", HOME: directory },
  });
  try {
    evaluate(options, host);
    return host.text;
  } catch (error) {
    return error instanceof TiltfileError ? error.message : `no TiltfileError: ${error}`;
  }
}

const CALLED = builtinNames().filter((name) => !/^[A-Z]/.test(name) && !NO_CALLS.has(name));

test.each(CALLED)("%s() refuses arguments in Starlark's terms", (name) => {
  const random = numbers(name.length * 7919 + name.charCodeAt(0));
  const pick = () => VALUES[random.next().value! % VALUES.length]!;
  const calls = Array.from({ length: CALLS }, (_, index) => {
    const args = Array.from({ length: 1 + (index % 4) }, pick);
    return `${name}(${args.length > 2 ? "'x', " : ""}${args.join(", ")})`;
  });
  const odd = withFiles(FILES, (directory) =>
    calls.flatMap((call) => {
      const output = outputOf(directory, call);
      return SMELLS.test(output) ? [`${call}: ${output}`] : [];
    }),
  );
  expect(odd).toEqual([]);
});
