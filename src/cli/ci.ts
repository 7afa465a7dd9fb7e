import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { SMOKE_REUSE } from "../cluster/index.ts";
import { UsageError } from "../errors.ts";
import { createHost } from "../host/node-host.ts";
import { EXIT } from "../model/result.ts";
import type { RunResult } from "../model/run-result.ts";
import { createConsole } from "../report/index.ts";
import type { CancelSignal } from "../run/verdict.ts";
import { type RunObserver, run } from "../run.ts";
import type { RunOptions } from "../run-options.ts";
import { bugReport } from "./bug-report.ts";
import { checkoutOf, detectCi } from "./ci-system.ts";
import type { Attach } from "./command.ts";
import { type GithubPresentation, presentOnGithub } from "./github.ts";
import type { ProcessIo } from "./io.ts";
import { addRunFlags, type CiFlags, webFlagsGiven } from "./run-flags.ts";
import { runOptions } from "./run-options-from-flags.ts";

export function ciCommand(attach: Attach): Command {
  return addRunFlags(
    new Command("ci")
      .description("take a Tiltfile to a verdict: the main job, a drop-in for tilt ci")
      .summary("the main job, a drop-in for tilt ci"),
  ).action(attach((command, args, io, argv) => runCommand("ci", command, args, io, argv)));
}

export function smokeCommand(attach: Attach): Command {
  return addRunFlags(
    new Command("smoke")
      .description("evaluate, build and dry-run on a cluster that stays: before pushing")
      .summary("evaluate, build, dry-run: before pushing"),
  ).action(attach((command, args, io, argv) => runCommand("smoke", command, args, io, argv)));
}

async function runCommand(
  kind: "ci" | "smoke",
  command: Command,
  args: readonly string[],
  io: ProcessIo,
  argv: readonly string[],
): Promise<number> {
  const flags = command.opts<CiFlags>();
  const given = (flag: string) => command.getOptionValueSource(flag) === "cli";
  const reuse =
    kind === "smoke" &&
    flags.cluster === undefined &&
    flags.context === undefined &&
    flags.reuse === undefined
      ? { reuse: SMOKE_REUSE }
      : {};
  const cwd = resolve(io.cwd, flags.workingDirectory ?? ".");
  if (!existsSync(cwd)) throw new UsageError(`There is no directory ${cwd}`);
  const ci = detectCi(io.env);
  const checkout = checkoutOf(io.env);
  const writeEvent = (line: string) => void io.stdout.write(`${line}\n`);
  const options = {
    ...runOptions(kind, { ...flags, ...reuse }, args, argv, { cwd, given, writeEvent }),
    ...(ci ? { ci } : {}),
    ...(checkout ? { checkout } : {}),
    ...(io.embedding && { runId: io.embedding.runId, leaveTeardown: io.embedding.leaveTeardown }),
  };
  for (const flag of webFlagsGiven((name) => command.getOptionValueSource(name)))
    io.stderr.write(
      `${flag} is accepted for compatibility: tilt-ci has no web UI, see ${options.reports.directory}/report.html\n`,
    );
  return runWithSignals(options, { ...io, cwd }, flags);
}

/** Runs, and turns the first signal into a cancelled run; a second one ends what still collects logs. */
async function runWithSignals(
  options: RunOptions,
  io: ProcessIo,
  github: GithubPresentation,
): Promise<number> {
  const console = createConsole({
    stdout: io.stdout,
    stderr: io.stderr,
    // The stream of events has standard output for itself.
    ...(options.reports.events === "-" ? { stdout: io.stderr } : {}),
    isTty: io.stdout.isTTY === true && io.env.TERM !== "dumb",
    color: wantsColor(io),
    ...options.console,
    reportDirectory: options.reports.directory,
    ...(options.ci ? { ci: options.ci } : {}),
  });
  const cancel = new AbortController();
  const hurry = new AbortController();
  const crash = new AbortController();
  const unlisten = io.onSignal((signal: CancelSignal) =>
    cancel.signal.aborted ? hurry.abort() : cancel.abort(signal),
  );
  const unlistenCrash = io.onCrash?.((error) => {
    // Once: what follows from a bug, the loss of this very stream among it, says no more.
    if (!crash.signal.aborted) io.stderr.write(bugReport(error, options.argv));
    crash.abort(error);
  });
  let result: RunResult | undefined;
  const observer: RunObserver = {
    event: (event) => console.event(event),
    line: (line) => console.line(line),
    report(final) {
      result = final;
      console.report(final);
    },
    secret: (value) => io.embedding?.onSecret(value),
  };
  let code: number = EXIT.environment;
  try {
    code = await run(options, createHost(io), {
      cancel: cancel.signal,
      hurry: hurry.signal,
      crashed: crash.signal,
      observer,
    });
    return code;
  } finally {
    unlisten();
    await console.close();
    if (result) await publish(result, options, github, io);
    // Whatever the bug has left open must not keep the process.
    if (crash.signal.aborted) io.exitNow(code);
    unlistenCrash?.();
  }
}

async function publish(
  result: RunResult,
  { ci, reports }: RunOptions,
  github: GithubPresentation,
  io: ProcessIo,
): Promise<void> {
  if (ci === "github") await presentOnGithub(result, github, io);
  io.embedding?.onResult(result, reports.directory);
}

/** https://no-color.org and FORCE_COLOR, else a terminal. */
function wantsColor({ env, stdout }: ProcessIo): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== "0") return true;
  return stdout.isTTY === true && env.TERM !== "dumb";
}
