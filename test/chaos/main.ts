// `npm run chaos -- --runs N --seed S [--node stub|real] [--from STEP]`: exits 1 when a run left something or lied.
import { parseArgs } from "node:util";
import { rigEnv } from "../rig/env.ts";
import { buildStubNode } from "../stub-node/build.ts";
import { chaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    from: { type: "string", default: "0" },
    node: { type: "string", default: "stub" },
  },
});
const { path, nodeImage } = rigEnv();
process.env.PATH = path;
const isStub = values.node === "stub";
const ground = { path, nodeImage: isStub ? buildStubNode("ok") : nodeImage };
console.log(`seed ${values.seed}, ${values.runs} runs on the ${values.node} node`);
const { endings, failures, runs } = await chaos(ground, {
  runs: Number(values.runs),
  seed: Number(values.seed),
  from: Number(values.from),
  durationMs: isStub ? 7_000 : 20_000,
  onStep: (line) => console.log(line),
});
console.log(`${runs - failures.length} of ${runs} runs left nothing and told the truth`);
console.log(JSON.stringify(endings));
process.exitCode = failures.length > 0 ? 1 : 0;
