import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { Host } from "../host/host.ts";

/** Marks a hook as ours; the version tells a later tilt-ci what it may replace. */
const MARK = "# tilt-ci pre-push hook, version 1";
/** Where a hook that stood before ours is kept: it runs first, and uninstalling puts it back. */
const KEPT_SUFFIX = ".before-tilt-ci";

/** Tools that own a repository's hooks: the folder or file that gives each away, and where its users add a command. */
const MANAGERS = [
  { name: "husky", hooksPath: /\.husky/, advice: "add the line to .husky/pre-push" },
  { name: "lefthook", file: /lefthook/, advice: "add it as a command of pre-push to lefthook.yml" },
  {
    name: "pre-commit",
    file: /pre-commit/,
    advice: "add it as a local hook with stages: [pre-push] to .pre-commit-config.yaml",
  },
] as const;

export interface HookPlace {
  /** Top of the work tree. */
  readonly top: string;
  /** The folder git runs hooks from (`core.hooksPath` respected), absolute. */
  readonly directory: string;
}

/** Where this repository's hooks live. Throws `UsageError` outside a work tree. */
export async function findHooks(host: Host): Promise<HookPlace> {
  const { exitCode, stdout } = await host.run(
    ["git", "rev-parse", "--show-toplevel", "--git-path", "hooks"],
    { cwd: host.cwd },
  );
  const [top, hooks] = stdout.trim().split("\n");
  if (exitCode !== 0 || !top || !hooks)
    throw new UsageError(
      "Cannot install a hook: this is no git work tree",
      "Run it inside the repository whose pushes are to be tested",
    );
  return { top, directory: isAbsolute(hooks) ? hooks : resolve(host.cwd, hooks) };
}

/** The script that git runs. `program` is how to start tilt-ci, `tiltfile` relative to the top of the work tree. */
export function hookScript(program: readonly string[], tiltfile: string): string {
  const words = [...program, "hook", "run", "--file", tiltfile].map(quote).join(" ");
  return `#!/bin/sh
${MARK}
# Tests what is being pushed with tilt-ci smoke. Skip it once: TILT_CI_SKIP=1 git push, or git push --no-verify.
# Remove it: tilt-ci hook uninstall.
before="$0${KEPT_SUFFIX}"
if [ -x "$before" ]; then
  pushed=$(cat)
  printf '%s\\n' "$pushed" | "$before" "$@" || exit $?
  printf '%s\\n' "$pushed" | exec ${words} "$@"
else
  exec ${words} "$@"
fi
`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/**
 * Installs the hook, keeping one that stood before. Returns what to tell. Throws `UsageError` when a hook manager
 * owns the folder: its own file is the place then.
 */
export async function installHook(
  place: HookPlace,
  program: readonly string[],
  tiltfile: string,
): Promise<string> {
  const path = join(place.directory, "pre-push");
  const existing = await readFile(path, "utf8").catch(() => undefined);
  const manager = MANAGERS.find((m) =>
    "hooksPath" in m
      ? m.hooksPath.test(place.directory)
      : existing !== undefined && m.file.test(existing),
  );
  if (manager)
    throw new UsageError(
      `${manager.name} manages this repository's hooks: ${manager.advice}`,
      `  ${[...program, "hook", "run", "--file", tiltfile].map(quote).join(" ")} "$@"`,
    );
  await mkdir(place.directory, { recursive: true });
  if (existing !== undefined && !existing.includes(MARK)) await rename(path, path + KEPT_SUFFIX);
  await writeFile(path, hookScript(program, tiltfile));
  await chmod(path, 0o755);
  const kept =
    existing !== undefined && !existing.includes(MARK)
      ? `; the hook that was there runs first (${relative(place.top, path + KEPT_SUFFIX)})`
      : "";
  return `Installed ${relative(place.top, path)}${kept}\nSkip it once with TILT_CI_SKIP=1 git push, remove it with tilt-ci hook uninstall`;
}

/** Removes our hook and puts back the one before it. A hook that is not ours is left alone. */
export async function uninstallHook(place: HookPlace): Promise<string> {
  const path = join(place.directory, "pre-push");
  const existing = await readFile(path, "utf8").catch(() => undefined);
  if (existing === undefined || !existing.includes(MARK))
    return "No hook of tilt-ci is installed here";
  await rm(path);
  const restored = await rename(path + KEPT_SUFFIX, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return false;
    },
  );
  return restored ? "Removed the hook; the one before it is back" : "Removed the hook";
}
