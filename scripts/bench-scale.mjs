// npm run bench:scale: time and memory at the limits of docs/limits.md. See test/bench/scale.ts and bench-tiltfile.mjs.
import { spawnSync } from "node:child_process";
import { prepareBuild, prepareDependencies } from "./prepare.mjs";
import { runTypeScript } from "./run-typescript.mjs";

await prepareDependencies();
await prepareBuild();
const plan = spawnSync(process.execPath, ["scripts/bench-tiltfile.mjs", "3"], { stdio: "inherit" });
const scale = await runTypeScript("test/bench/scale.ts", process.argv.slice(2));
process.exitCode = plan.status === 0 && scale === 0 ? 0 : 1;
