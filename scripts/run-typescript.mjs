// Runs a TypeScript program of this repo's tests: `runTypeScript("test/chaos/main.ts", argv)`.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** In a bundle all modules have one address; each keeps its own, by which it finds its files. */
const ownAddresses = {
  name: "own-addresses",
  setup(/** @type {import("esbuild").PluginBuild} */ build) {
    build.onLoad({ filter: /\/(src|test)\/.*\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path))),
    }));
  },
};

/**
 * @param {string} entry
 * @param {readonly string[]} argv
 * @param {readonly string[]} [nodeFlags]
 * @returns {Promise<number>} its exit code
 */
export async function runTypeScript(entry, argv, nodeFlags = []) {
  // within node_modules, so that packages are found from there
  const program = resolve(`node_modules/.cache/tilt-ci/program-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [entry],
      outfile: program,
      bundle: true,
      packages: "external",
      platform: "node",
      target: "node20",
      format: "esm",
      logLevel: "warning",
      plugins: [ownAddresses],
    });
    const { status } = spawnSync(process.execPath, [...nodeFlags, program, ...argv], {
      stdio: "inherit",
    });
    return status ?? 1;
  } finally {
    rmSync(program, { force: true });
  }
}
