import { accessSync, constants, existsSync } from "node:fs";
import { steadyNow } from "../host/steady-clock.ts";
import type { Command } from "../model/plan.ts";
import { formatCommand } from "./arguments.ts";
import type { Evaluation } from "./evaluation.ts";
import { osReason } from "./go/os-error.ts";
import { isAbsolute, join } from "./go/path.ts";
import { goQuote } from "./go/quote.ts";
import { isDirectory } from "./read-text.ts";
import { pathWithShim, tiltShim } from "./tilt-shim.ts";

const OUTPUT_PREFIX = " → ";

/** How a command of the Tiltfile is run and shown. */
export interface LocalCommandOptions {
  /** Log its output as it comes; else it is part of the error when the command fails. */
  readonly logOutput: boolean;
  /** What stands before the command in the log; not logged when absent. */
  readonly announce?: string;
  /** Nothing that is said of the command may hold its arguments: its author switched the echo off. */
  readonly hidden?: boolean;
  readonly stdin?: string | undefined;
}

/**
 * Runs a command that the Tiltfile asked for and returns its standard output.
 * @throws Error in Tilt's words when it fails
 */
export function runLocalCommand(
  evaluation: Evaluation,
  command: Command,
  { logOutput, announce, hidden, stdin }: LocalCommandOptions,
): string {
  const shown = formatCommand(command.argv);
  if (announce !== undefined) evaluation.log(`${announce} ${shown}`);
  const fail = (reason: string) => new Error(`command ${goQuote(shown)} failed.\nerror: ${reason}`);
  const obstacle = startObstacle(evaluation, command);
  if (obstacle !== undefined) throw fail(withOutput(obstacle, logOutput, "", ""));
  evaluation.recordCommand(recordedArgv(evaluation, command.argv, hidden));
  const remainingMs =
    evaluation.deadline === undefined ? undefined : evaluation.deadline - steadyNow();
  const outcome = execute(evaluation, command, { logOutput, stdin, remainingMs }, fail);
  if (outcome.timedOut) throw fail("deadline exceeded");
  if (outcome.exitCode !== 0) {
    throw fail(
      withOutput(`exit status ${outcome.exitCode}`, logOutput, outcome.stdout, outcome.stderr),
    );
  }
  const silent = outcome.stdout === "" && outcome.stderr === "";
  if (announce !== undefined && logOutput && silent) evaluation.log(`${OUTPUT_PREFIX}[no output]`);
  return outcome.stdout;
}

/** A command as the plan tells of it: the stand-in by the name of what it stands for, of a hidden one the program. */
function recordedArgv(
  { options }: Evaluation,
  argv: readonly string[],
  hidden = false,
): readonly string[] {
  const shim = tiltShim(options)?.executable;
  const words = argv.map((word) => (shim === undefined ? word : word.replaceAll(shim, "tilt")));
  if (!hidden) return words;
  const [program = "", flag, text = ""] = words;
  if (program !== "sh" || flag !== "-c") return [program, "…"];
  return ["sh", "-c", `${/^[\w./-]+(?=\s|$)/.exec(text)?.[0] ?? ""} …`.trim()];
}

function execute(
  evaluation: Evaluation,
  command: Command,
  options: { logOutput: boolean; stdin?: string | undefined; remainingMs: number | undefined },
  fail: (reason: string) => Error,
) {
  try {
    return evaluation.sync.exec(command.argv, {
      cwd: command.dir,
      env: commandEnv(evaluation, command),
      stdin: options.stdin,
      logPrefix: options.logOutput ? OUTPUT_PREFIX : undefined,
      retryable: true,
      timeoutMs: options.remainingMs,
    });
  } catch (error) {
    throw Object.assign(fail(error instanceof Error ? error.message : String(error)), {
      cause: error,
    });
  }
}

function withOutput(reason: string, logged: boolean, stdout: string, stderr: string): string {
  return logged ? reason : `${reason}\nstdout:\n${stdout}\nstderr:\n${stderr}\n`;
}

/** The environment of a command: the Tiltfile's, Tilt's own names where unset, and the command's. */
function commandEnv(evaluation: Evaluation, command: Command): Record<string, string> {
  const env = Object.fromEntries(evaluation.env);
  return {
    ...env,
    TILT_HOST: env.TILT_HOST ?? "localhost",
    TILT_PORT: env.TILT_PORT ?? "10350",
    TILT_DISABLE_ANALYTICS: env.TILT_DISABLE_ANALYTICS ?? "1",
    ...command.env,
    PATH: pathWithShim(evaluation.options, command.env.PATH ?? env.PATH),
  };
}

/** Why a command cannot even be started, in the words of Go's os/exec. */
function startObstacle(evaluation: Evaluation, { argv, dir, env }: Command): string | undefined {
  const [program] = argv;
  if (program === undefined) return "empty cmd";
  const isPath = program.includes("/") || program === "tilt";
  const path = isPath ? program : findProgram(evaluation, program);
  if (path === undefined) return notFound(program);
  if (Object.values(env).some(hasNul)) return "exec: environment variable contains NUL";
  if (argv.some(hasNul)) return `fork/exec ${path}: invalid argument`;
  return (
    cannotEnter(path, dir) ??
    (program.includes("/")
      ? cannotExecute(program, isAbsolute(program) ? program : join(dir, program))
      : undefined)
  );
}

function hasNul(text: string): boolean {
  return text.includes("\0");
}

export function notFound(program: string): string {
  return `exec: ${goQuote(program)}: executable file not found in $PATH`;
}

function cannotEnter(program: string, dir: string): string | undefined {
  if (isDirectory(dir)) return undefined;
  return `fork/exec ${program}: ${existsSync(dir) ? "not a directory" : "no such file or directory"}`;
}

function cannotExecute(shown: string, path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return isDirectory(path) ? `fork/exec ${shown}: permission denied` : undefined;
  } catch (error) {
    return `fork/exec ${shown}: ${osReason(error)}`;
  }
}

/** Where a program is on the Tiltfile's PATH, as Go's LookPath finds it. */
export function findProgram(evaluation: Evaluation, program: string): string | undefined {
  if (program.includes("/")) {
    return cannotExecute(program, evaluation.absolute(program)) === undefined ? program : undefined;
  }
  for (const directory of (evaluation.env.get("PATH") ?? "").split(":")) {
    if (directory === "") continue;
    const path = join(directory, program);
    if (cannotExecute(path, path) === undefined) return path;
  }
  return undefined;
}
