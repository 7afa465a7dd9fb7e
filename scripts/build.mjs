// Bundles the program into dist/: committed, so that `node dist/cli.cjs` and `uses:` work from a clone.
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const outdir = process.argv[2] ?? "dist";
rmSync(outdir, { recursive: true, force: true });

/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  define: {
    "process.env.TILT_CI_VERSION": JSON.stringify(version),
    "import.meta.url": "undefined",
  },
};

// cli.cjs is a small door: each command's code is a file of its own, so that none pays for another's start.
await build({
  ...shared,
  entryPoints: {
    cli: "src/cli.ts",
    main: "src/cli/main.ts",
    starlark: "src/cli/starlark.ts",
    "tiltfile-worker": "src/tiltfile/worker.ts",
    action: "src/action/index.ts",
  },
  outdir,
  outExtension: { ".js": ".cjs" },
  external: ["./main.cjs", "./starlark.cjs"],
});
chmodSync(`${outdir}/cli.cjs`, 0o755);
