import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Repository } from "./repository.ts";

// The hook as git starts it: the installed script, and the program as it is shipped.
const directory = mkdtempSync(join(tmpdir(), "hook-signal-"));
const program = join(directory, "cli.cjs");

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs", directory], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Installs the hook in a repository whose Tiltfile runs a command that does not end by itself when it runs for the
 * `nth` time: at first the hook asks what the push changes, then smoke evaluates.
 */
function install(repository: Repository, nth: 1 | 2): { oid: string; runs: string } {
  const runs = join(repository.path, "..", "runs");
  const script = `echo $$ >> ${runs}; [ $(wc -l < ${runs}) -lt ${nth} ] || exec sleep 97.31`;
  const oid = repository.commit({
    Tiltfile: `local(${JSON.stringify(script)})\nlocal_resource('a', 'true')\n`,
  });
  const env = { ...repository.env };
  const installed = spawnSync(process.execPath, [program, "hook", "install"], {
    cwd: repository.path,
    env,
    encoding: "utf8",
  });
  expect(installed.status, installed.stderr).toBe(0);
  return { oid, runs };
}

test.each([
  ["SIGINT", 130, 1],
  ["SIGTERM", 143, 1],
  ["SIGHUP", 129, 1],
  ["SIGINT", 130, 2],
  ["SIGTERM", 143, 2],
] as const)(
  "the pre-push hook ends at %s with %i and leaves nothing, in evaluation %i",
  async (signal, exitCode, nth) => {
    using repository = new Repository();
    const { oid, runs } = install(repository, nth);
    const hook = spawn(join(repository.path, ".git/hooks/pre-push"), ["origin", "url"], {
      cwd: repository.path,
      env: { ...repository.env, GIT_DIR: join(repository.path, ".git") },
    });
    let said = "";
    hook.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    hook.stdin.end(`refs/heads/main ${oid} refs/heads/main ${"0".repeat(40)}\n`);
    const ended = new Promise((resolve) => hook.once("close", (code, by) => resolve({ code, by })));
    const pids = () => (existsSync(runs) ? readFileSync(runs, "utf8").trim().split("\n") : []);
    while (pids().length < nth && hook.exitCode === null) await delay(20);
    hook.kill(signal);
    expect(await ended, said).toEqual({ code: exitCode, by: null });
    expect(said).toMatch(/tilt-ci: cancelled, the push is stopped\n$/);
    expect(said).not.toContain("failed after");
    expect(pids().filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(repository.git("worktree", "list").split("\n")).toHaveLength(1);
    expect(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`tilt-ci-push-${hook.pid}-`)),
    ).toEqual([]);
  },
  60_000,
);
