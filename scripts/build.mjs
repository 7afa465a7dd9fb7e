// Bundles the program into dist/: committed, so that `node dist/cli.cjs` and `uses:` work from a clone.
import { chmodSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { bundleOptions } from "./bundle.mjs";

const outdir = process.argv[2] ?? "dist";
rmSync(outdir, { recursive: true, force: true });
await build(bundleOptions(outdir));
chmodSync(`${outdir}/cli.cjs`, 0o755);
