// Asks the Go libraries anew for every input in test/unit/manifests/testdata/*.json and writes their answers there.
// Needs Go and its module proxy: `node scripts/go-answers/update.mjs`.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const testdata = join(here, "../../test/unit/manifests/testdata");

for (const name of readdirSync(testdata).filter((file) => file.endsWith(".json"))) {
  const file = join(testdata, name);
  const { about, op, cases } = JSON.parse(readFileSync(file, "utf8"));
  const answers = ask(cases.map(({ text, arg }) => ({ Op: op, Text: text, Arg: arg ?? "" })));
  const updated = cases.map(({ text, arg }, index) => {
    const { Out, Err } = answers[index];
    return {
      text,
      ...(arg === undefined ? {} : { arg }),
      ...(Err ? { error: Err } : { out: Out ?? [] }),
    };
  });
  const lines = updated.map((each) => `    ${JSON.stringify(each)}`).join(",\n");
  writeFileSync(
    file,
    `{\n  "about": ${JSON.stringify(about)},\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines}\n  ]\n}\n`,
  );
  console.log(`${name}: ${updated.length} answers`);
}

function ask(requests) {
  const result = spawnSync("go", ["run", "."], {
    cwd: here,
    input: requests.map((request) => JSON.stringify(request)).join("\n"),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
