import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { EnvironmentError, messageOf, UsageError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { makeDirectory } from "../../host/make-directory.ts";
import { SKIP_VARIABLE } from "./run.ts";

/** Marks a hook as ours; the version tells a later tilt-ci what it may replace. */
const MARK = "# tilt-ci pre-push hook, version 1";
/** Where a hook that stood before ours is kept: it runs first, and uninstalling puts it back. */
const KEPT_SUFFIX = ".before-tilt-ci";

/** Tools that write a repository's hooks themselves: what gives each away, and where its users add a command. */
const MANAGERS = [
  { name: "husky", inPath: /\.husky(\/|$)/, advice: "add the line to .husky/pre-push" },
  {
    name: "lefthook",
    inText: /lefthook/,
    advice: "add it as a command of pre-push to lefthook.yml",
  },
  {
    name: "pre-commit",
    inText: /pre-commit/,
    advice: "add it as a local hook with stages: [pre-push] to .pre-commit-config.yaml",
  },
] as const;

export interface HookPlace {
  /** Top of the work tree. */
  readonly top: string;
  /** The folder git runs hooks from (`core.hooksPath` respected), absolute. */
  readonly directory: string;
  /** It lies outside the repository: other repositories run its hooks, too. */
  readonly isShared: boolean;
}

/** Where this repository's hooks live. Throws `UsageError` outside a work tree. */
export async function findHooks({ run, cwd }: Pick<Host, "run" | "cwd">): Promise<HookPlace> {
  const words = ["--show-toplevel", "--git-common-dir", "--git-path", "hooks"];
  const { exitCode, stdout } = await run(["git", "rev-parse", ...words], { cwd });
  const [top, common, hooks] = stdout.trim().split("\n");
  if (exitCode !== 0 || !top || !common || !hooks)
    throw new UsageError(
      "This is no git work tree",
      "Run it inside the repository whose pushes are to be tested",
    );
  const directory = resolve(cwd, hooks);
  const isShared = [top, resolve(cwd, common)].every((own) =>
    relative(own, directory).startsWith(".."),
  );
  return { top, directory, isShared };
}

/** How the hook starts tilt-ci: the one that installed it, else what is on PATH or in node_modules. */
export function hookScript(program: readonly string[], tiltfile: string): string {
  const words = ["hook", "run", "--file", tiltfile].map(quote).join(" ");
  // what an update has moved away must not stop pushes: the interpreter as well as the script
  const isThere = program.map((word) => `[ -f ${quote(word)} ]`).join(" && ");
  // exec: a signal to the hook reaches tilt-ci itself
  const start = (...argv: readonly string[]) => `exec ${argv.join(" ")} ${words} "$@" <<END
$pushed
END`;
  return `#!/bin/sh
${MARK}
# Tests what is being pushed with tilt-ci smoke. Skip it once: ${SKIP_VARIABLE}=1 git push, or git push --no-verify.
# Remove it: tilt-ci hook uninstall.
pushed=$(cat)
before="$0${KEPT_SUFFIX}"
if [ -x "$before" ]; then
  { [ -z "$pushed" ] || printf '%s\\n' "$pushed"; } | "$before" "$@" || exit $?
fi
if ${isThere}; then
  ${start(...program.map(quote))}
elif [ -x node_modules/.bin/tilt-ci ]; then
  ${start("node_modules/.bin/tilt-ci")}
elif command -v tilt-ci >/dev/null 2>&1; then
  ${start("tilt-ci")}
else
  echo "tilt-ci: not installed any more, so this push is not tested (the hook is $0)" >&2
fi
`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Installs the hook, keeping one that stood before. Returns what to tell. Throws `UsageError` when a hook manager
 * owns the folder: its own file is the place then.
 */
export async function installHook(
  { top, directory, isShared }: HookPlace,
  program: readonly string[],
  tiltfile: string,
): Promise<string> {
  const path = join(directory, "pre-push");
  const existing = await readHook(path);
  const isOurs = existing?.includes(MARK) === true;
  const manager = MANAGERS.find((one) =>
    "inPath" in one ? one.inPath.test(directory) : !isOurs && one.inText.test(existing ?? ""),
  );
  if (manager)
    throw new UsageError(
      `${manager.name} manages this repository's hooks: ${manager.advice}`,
      `  tilt-ci hook run --file ${quote(tiltfile)} "$@"`,
    );
  const keeps = existing !== undefined && !isOurs;
  try {
    makeDirectory(directory);
    if (keeps) await rename(path, path + KEPT_SUFFIX);
    await writeFile(path, hookScript(program, tiltfile));
    await chmod(path, 0o755);
  } catch (error) {
    throw new EnvironmentError(`Cannot install ${path}: ${messageOf(error)}`);
  }
  const shown = isShared ? path : relative(top, path);
  return [
    `Installed ${shown}${keeps ? `; the hook that was there runs first (${shown}${KEPT_SUFFIX})` : ""}`,
    ...(isShared
      ? [
          `core.hooksPath makes it run for other repositories, too: it passes where there is no ${tiltfile}`,
        ]
      : []),
    `Skip it once with ${SKIP_VARIABLE}=1 git push, remove it with tilt-ci hook uninstall`,
  ].join("\n");
}

/** Removes our hook and puts back the one before it. A hook that is not ours is left alone. */
export async function uninstallHook({ directory }: HookPlace): Promise<string> {
  const path = join(directory, "pre-push");
  if (!(await readHook(path))?.includes(MARK)) return "No hook of tilt-ci is installed here";
  await rm(path);
  const hasOld = (await readHook(path + KEPT_SUFFIX)) !== undefined;
  if (hasOld) await rename(path + KEPT_SUFFIX, path);
  return hasOld ? "Removed the hook; the one before it is back" : "Removed the hook";
}

async function readHook(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new EnvironmentError(`Cannot read ${path}: ${error.message}`);
  });
}
