// What goes into dist/ and how.
import { readFileSync } from "node:fs";

/** @returns {import("esbuild").BuildOptions} */
export function bundleOptions(/** @type {string} */ outdir) {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  return {
    bundle: true,
    // a work tree may borrow another one's node_modules: where they are must not show in the bundle
    preserveSymlinks: true,
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
    // cli.cjs is a small door: each command's code is a file of its own, so that none pays for another's start.
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
  };
}
