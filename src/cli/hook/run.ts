import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { RunError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { createHost } from "../../host/node-host.ts";
import { EXIT, SIGNAL_EXITS } from "../../model/result.ts";
import { TiltfileError } from "../../tiltfile/index.ts";
import { evaluateAlone, futureContext } from "../evaluate-alone.ts";
import type { ProcessIo } from "../io.ts";
import { affectedBy } from "./affected.ts";
import {
  changedFilesArgv,
  type PushedRef,
  parseChangedFiles,
  parsePushedRefs,
  testable,
} from "./pushed.ts";
import { type CommitWorktree, checkOut } from "./worktree.ts";

/** Set to anything but 0, it lets a push pass untested. */
export const SKIP_VARIABLE = "TILT_CI_SKIP";

export interface HookOptions {
  /** The Tiltfile, relative to the top of the work tree. */
  readonly file: string;
  /** What git calls the remote: its name, or its URL. */
  readonly remote: string;
  /** Runs a command of tilt-ci itself. */
  readonly program: (argv: readonly string[], io: ProcessIo) => Promise<number>;
}

/**
 * The pre-push hook: tests each pushed commit, as it was committed, with `smoke`. Returns 0 to let the push go on:
 * also when nothing that the Tiltfile uses has changed, and when this machine cannot test (which is said). A signal
 * stops the push, with the signal's exit code.
 */
export async function runHook(options: HookOptions, io: ProcessIo): Promise<number> {
  const say = (line: string) => void io.stderr.write(`tilt-ci: ${line}\n`);
  const skip = io.env[SKIP_VARIABLE];
  if (skip && skip !== "0") {
    say(`${SKIP_VARIABLE} is set: this push is not tested`);
    return EXIT.passed;
  }
  const refs = testable(parsePushedRefs(await readAll(io.stdin)));
  const cancel = new AbortController();
  let cancelled: number | undefined;
  // Ctrl-C reaches us, too: what has been checked out is still to be removed.
  const unlisten = io.onSignal((signal) => {
    cancelled ??= SIGNAL_EXITS[signal];
    cancel.abort();
  });
  try {
    for (const ref of refs) {
      const code = await testRef(ref, { ...options, say, signal: cancel.signal }, io);
      if (cancelled !== undefined) {
        say("cancelled, the push is stopped");
        return cancelled;
      }
      if (code !== EXIT.passed) return code;
    }
    return EXIT.passed;
  } finally {
    unlisten();
  }
}

interface HookRun extends HookOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

async function testRef(ref: PushedRef, run: HookRun, io: ProcessIo): Promise<number> {
  // In a hook, git points GIT_DIR and GIT_INDEX_FILE at the user's repository: not what our children are to work on.
  const env = Object.fromEntries(
    Object.entries(io.env).filter(([name]) => !name.startsWith("GIT_")),
  );
  const host = createHost({ env, cwd: io.cwd });
  const label = `${ref.localOid.slice(0, 10)} (${ref.remoteRef.replace(/^refs\/heads\//, "")})`;
  let worktree: CommitWorktree | undefined;
  try {
    const changed = await changedFiles(ref, run.remote, host);
    if (changed?.length === 0) return passUntested(run, `${label} brings nothing new`);
    worktree = await checkOut(ref.localOid, host);
    const tiltfile = join(worktree.path, run.file);
    if (!existsSync(tiltfile)) return passUntested(run, `${label} has no ${run.file}`);
    const reason = await reasonToTest(worktree.path, tiltfile, changed, host, run.signal);
    if (reason === undefined)
      return passUntested(run, `${label} changes nothing that ${run.file} uses`);
    run.say(
      `testing ${label}: ${reason}. To skip: ${SKIP_VARIABLE}=1 git push, or git push --no-verify`,
    );
    return await smoke(worktree.path, { ...io, env }, run, host);
  } catch (error) {
    if (run.signal.aborted) return EXIT.failed; // the signal's exit code counts
    if (!(error instanceof RunError)) throw error;
    return passUntested(run, `${label} cannot be tested here: ${error.message}`);
  } finally {
    await worktree?.remove();
  }
}

function passUntested({ say }: HookRun, why: string): number {
  say(`${why}: not tested`);
  return EXIT.passed;
}

/** What the push changes, relative to the top; undefined when git cannot tell (it does not have the remote's commit). */
async function changedFiles(
  ref: PushedRef,
  remote: string,
  host: Host,
): Promise<string[] | undefined> {
  const { exitCode, stdout } = await host.run(["git", ...changedFilesArgv(ref, remote)], {
    cwd: host.cwd,
    maxBuffer: 256 << 20,
  });
  return exitCode === 0 ? parseChangedFiles(stdout) : undefined;
}

/** Why the push is worth a test; undefined if it is not. */
async function reasonToTest(
  top: string,
  tiltfile: string,
  changed: readonly string[] | undefined,
  host: Host,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (changed === undefined) return "the remote's commit is not here to compare with";
  try {
    const request = { tiltfile, args: [], kubeContext: futureContext(), allowLocalExec: true };
    const plan = await evaluateAlone(request, host, { signal, log: () => {} });
    const file = await affectedBy(
      plan,
      changed.map((path) => resolve(top, path)),
    );
    return file && `${relative(top, file)} has changed`;
  } catch (error) {
    if (signal.aborted) throw error;
    // What is wrong with it, or that it needs a cluster, is for the test to tell.
    if (error instanceof TiltfileError) return "the Tiltfile cannot be evaluated by itself";
    throw error;
  }
}

async function smoke(
  top: string,
  io: ProcessIo,
  { program, say, file, signal }: HookRun,
  host: Host,
): Promise<number> {
  const { stdout } = await host.run(["git", "rev-parse", "--git-path", "tilt-ci-report"], {
    cwd: host.cwd,
  });
  const reports = resolve(io.cwd, stdout.trim());
  const startedAt = host.clock.monotonic();
  const argv = ["smoke", "--quiet", "--file", file, "--report-dir", reports];
  // git hands stdout to the user's terminal, but keeps it for itself in some set-ups: everything goes to stderr
  const code = await program(argv, { ...io, cwd: top, stdout: io.stderr });
  if (signal.aborted) return code;
  const seconds = ((host.clock.monotonic() - startedAt) / 1000).toFixed(1);
  if (code === EXIT.passed) say(`passed in ${seconds} s`);
  else if (code === EXIT.environment) {
    say("this machine could not test the push (tilt-ci doctor says more): it goes on untested");
    return EXIT.passed;
  } else
    say(`failed after ${seconds} s, the push is stopped. Report: ${join(reports, "report.html")}`);
  return code;
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString("utf8");
}
