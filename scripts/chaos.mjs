// npm run chaos: ends runs at random moments and looks at what is left. See test/chaos/main.ts.
import { runTypeScript } from "./run-typescript.mjs";

process.exitCode = await runTypeScript("test/chaos/main.ts", process.argv.slice(2));
