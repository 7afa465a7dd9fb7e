import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

interface PackedFile {
  readonly path: string;
}

/** The package as `npm pack` makes it, used as strangers use it: from an empty folder, without this repo. */
describe("the package", () => {
  let folder: string;
  let tarball: string;
  let files: readonly string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tilt-ci-pack-"));
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [packed] = JSON.parse(execFileSync("npm", pack, { cwd: root, encoding: "utf8" }));
    tarball = join(folder, packed.filename);
    files = packed.files.map((file: PackedFile) => file.path);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs `npx tilt-ci ARGS` with the tarball as the package, in an empty folder. */
  const npx = (...args: string[]) => {
    const cwd = join(folder, "empty");
    mkdirSync(cwd, { recursive: true });
    const argv = ["--yes", `--package=${tarball}`, "--", "tilt-ci", ...args];
    return spawnSync("npx", argv, { cwd, encoding: "utf8" });
  };

  test("holds the program, its documentation and nothing else", () => {
    const expected =
      /^(dist\/(cli|main|starlark|tiltfile-worker|action)\.cjs|action\.yml|package\.json|README\.md|CHANGELOG\.md|LICENSE|docs\/.*\.(md|json|png|svg))$/;
    expect(files.filter((path) => !expected.test(path))).toEqual([]);
    for (const path of [
      "dist/cli.cjs",
      "dist/main.cjs",
      "dist/action.cjs",
      "action.yml",
      "LICENSE",
    ]) {
      expect(files).toContain(path);
    }
  });

  test("tilt-ci --version says the version of the package", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(npx("--version").stdout).toContain(version);
  });

  test("tilt-ci doctor looks at this machine", () => {
    const { status, stdout } = npx("doctor", "--json");
    const { checks } = JSON.parse(stdout);
    expect(checks.length).toBeGreaterThan(3);
    const missing = checks.some((check: { status: string }) => check.status === "missing");
    expect(status).toBe(missing ? 3 : 0);
  });
});
