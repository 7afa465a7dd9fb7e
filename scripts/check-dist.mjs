// npm run check-dist: fails when dist/ is not what the sources build.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareDependencies } from "./prepare.mjs";
import { run, say } from "./progress.mjs";

/** @returns {Map<string, string>} relative path to content */
function contents(/** @type {string} */ folder) {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return new Map(); // never built
  }
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files.map((path) => [path.slice(folder.length + 1), readFileSync(path, "latin1")]),
  );
}

await prepareDependencies();
const folder = mkdtempSync(join(tmpdir(), "tilt-ci-dist-"));
try {
  const build = await run("Building into a temporary folder", [
    process.execPath,
    "scripts/build.mjs",
    folder,
  ]);
  if (build.exitCode !== 0) {
    say(build.stderr.trimEnd());
    process.exitCode = 1;
  } else {
    const [built, committed] = [contents(folder), contents("dist")];
    const names = [...new Set([...built.keys(), ...committed.keys()])].sort();
    const stale = names.filter((name) => built.get(name) !== committed.get(name));
    for (const name of stale)
      say(`dist/${name} is ${built.has(name) ? "stale" : "not built from anything"}`);
    if (stale.length > 0) say("Run npm run build and commit dist");
    process.exitCode = stale.length > 0 ? 1 : 0;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
