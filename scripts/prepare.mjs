// What the commands of this repo need before they can do their work: dependencies, the build, and the rig.
// Uses nothing but Node, since it runs before anything is installed.
import { existsSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { run, say } from "./progress.mjs";

/** @param {string} path of a lock file */
function lockedPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
}

/** True when node_modules holds what package-lock.json says (packages of other platforms may be missing). */
export function dependenciesAreCurrent() {
  const installed = lockedPackages("node_modules/.package-lock.json");
  return Object.entries(lockedPackages("package-lock.json")).every(
    ([path, { version, optional }]) =>
      path === "" || installed[path]?.version === version || (optional && !installed[path]),
  );
}

/** Exit code 3 when they cannot be had. */
export async function prepareDependencies() {
  if (dependenciesAreCurrent()) return;
  const { exitCode, stdout, stderr } = await run("Installing dependencies", ["npm", "ci"]);
  if (exitCode === 0) return;
  say(`${stdout}${stderr}`.trimEnd());
  say("Cannot install the dependencies: npm ci failed");
  process.exit(3);
}

/** Exit code 1 when the sources do not build. */
export async function prepareBuild() {
  const { exitCode, stderr } = await run("Building dist", [process.execPath, "scripts/build.mjs"]);
  if (exitCode === 0) return;
  say(stderr.trimEnd());
  say("Cannot build dist");
  process.exit(1);
}

/**
 * @typedef {object} Rig
 * @property {NodeJS.ProcessEnv} env for what runs on the rig
 * @property {string} [missing] why there is no rig on this machine, and what to do
 */

/**
 * Docker, kind, kubectl, helm, kustomize and the images, by test/rig/up; where they cannot be had, the reason.
 * A TILT_CI_NODE_IMAGE of the caller's is for the program, not for this project's own tests: it is replaced.
 * @param {string} [what] "all", or "tools" for the programs without an engine
 * @returns {Promise<Rig>}
 */
export async function prepareRig(what = "all") {
  const { exitCode, stdout, stderr } = await run(
    "Preparing the rig",
    ["bash", "test/rig/up", what],
    {
      show: "errors",
    },
  );
  const env = { ...process.env, ...exportsOf(stdout) };
  if (exitCode === 0) return { env };
  if (exitCode === 127) {
    return {
      env,
      missing: "there is no bash: on Windows, work in WSL 2 (wsl --install -d Debian)",
    };
  }
  return { env, missing: lastMessage(stderr) || `test/rig/up ended with exit code ${exitCode}` };
}

/**
 * Chromium, for the tests of the HTML report; where it cannot be had, the reason.
 * @returns {Promise<Rig>}
 */
export async function prepareBrowser() {
  const argv = ["bash", "test/rig/up", "browser"];
  const { exitCode, stdout, stderr } = await run("Preparing a browser", argv, { show: "errors" });
  return { env: exportsOf(stdout), ...(exitCode === 0 ? {} : { missing: lastMessage(stderr) }) };
}

/** The last `rig: …` line with the lines that belong to it. */
export function lastMessage(/** @type {string} */ text) {
  const start = text.lastIndexOf("rig: ");
  return start < 0 ? text.trim() : text.slice(start + "rig: ".length).trim();
}

/** The variables of `export NAME=value` lines; $PATH in a value is this process's own. */
export function exportsOf(/** @type {string} */ text) {
  const lines = text.matchAll(/^export (\w+)=(.*)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name, value]) => [
      name,
      value?.replace(/:\$PATH$/, `${delimiter}${process.env.PATH}`),
    ]),
  );
}
