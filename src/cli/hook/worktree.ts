import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { EnvironmentError } from "../../errors.ts";
import type { CommandOutcome, Host } from "../../host/host.ts";

const PREFIX = "tilt-ci-push-";

/** A commit, checked out in a folder of its own. */
export interface CommitWorktree {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Checks a commit out beside the user's work tree, which is left alone. What hooks killed earlier left goes first.
 * Throws `EnvironmentError` when git cannot.
 */
export async function checkOut(oid: string, host: Host): Promise<CommitWorktree> {
  await removeStale(host);
  const parent = await realpath(await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  const path = join(parent, "repository");
  const remove = async () => {
    await git(host, ["worktree", "remove", "--force", path]);
    await rm(parent, { recursive: true, force: true });
    await git(host, ["worktree", "prune"]);
  };
  try {
    // no hooks: the user's post-checkout is about their own work tree
    await must(host, ["-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", path, oid]);
    const { stdout } = await host.run(["git", "ls-files", "-s", "--", ".gitmodules"], {
      cwd: path,
    });
    if (stdout !== "")
      await must(host, ["-C", path, "submodule", "update", "--init", "--recursive"]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, remove };
}

function git(host: Host, args: readonly string[]): Promise<CommandOutcome> {
  return host.run(["git", ...args], { cwd: host.cwd });
}

async function must(host: Host, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await git(host, args);
  if (exitCode !== 0)
    throw new EnvironmentError(`Cannot check the commit out: ${stderr.trim().split("\n").at(-1)}`);
}

/** Worktrees whose process is no more. */
async function removeStale(host: Host): Promise<void> {
  const { stdout } = await git(host, ["worktree", "list", "--porcelain", "-z"]);
  for (const line of stdout.split("\0")) {
    const path = line.replace(/^worktree /, "");
    const parent = join(path, "..");
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(basename(parent))?.[1];
    if (path === line || pid === undefined || isAlive(Number(pid))) continue;
    await git(host, ["worktree", "remove", "--force", path]);
    await rm(parent, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
