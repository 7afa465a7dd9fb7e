// npm run bench:verdict: how long a verdict takes from the last condition on. See test/bench/verdict-latency.ts.
import { prepareBuild, prepareDependencies } from "./prepare.mjs";
import { runTypeScript } from "./run-typescript.mjs";

await prepareDependencies();
await prepareBuild();
process.exitCode = await runTypeScript("test/bench/verdict-latency.ts", process.argv.slice(2));
