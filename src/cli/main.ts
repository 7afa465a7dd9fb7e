import { Command, CommanderError } from "commander";
import { RunError } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import { EXIT } from "../model/result.ts";
import { VERSION } from "../version.ts";
import { bugReport } from "./bug-report.ts";
import { ciCommand, smokeCommand } from "./ci.ts";
import type { Attach } from "./command.ts";
import { doctorCommand } from "./doctor-command.ts";
import { downCommand } from "./down.ts";
import { describeOption, shortenHelp } from "./help.ts";
import { hookCommand } from "./hook/command.ts";
import { initCommand } from "./init/command.ts";
import type { ProcessIo } from "./io.ts";
import { nodeCommand } from "./node.ts";
import { planCommand } from "./plan.ts";
import { explainCommand, reportCommand } from "./report-commands.ts";

/**
 * The program without the process: parses `argv`, runs the command, returns the exit code. All output goes through
 * `io`. Expected errors are told in one sentence with what to try; a bug of ours with its stack.
 */
export async function main(argv: readonly string[], io: ProcessIo): Promise<number> {
  let code = 0;
  const program = buildProgram(io, (action) => async (...words: unknown[]) => {
    const command = words.at(-1) as Command;
    code = await action(command, operands(command, argv), io, argv);
  });
  try {
    await program.parseAsync(beforeDashes(argv), { from: "user" });
    return code;
  } catch (error) {
    return report(error, argv, io);
  }
}

function report(error: unknown, argv: readonly string[], io: ProcessIo): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.passed;
    io.embedding?.onRefusal(error.message.replace(/^error: /, ""));
    return EXIT.badInput;
  }
  if (error instanceof RunError) {
    io.embedding?.onRefusal([error.message, error.hint].filter(Boolean).join("\n"));
    io.stderr.write(`Error: ${error.message}\n${error.hint ? `${error.hint}\n` : ""}`);
    return error.exitCode;
  }
  if (error instanceof CommandNotFoundError) {
    io.stderr.write(`Error: ${error.message}\nInstall it; tilt-ci doctor says how\n`);
    return EXIT.environment;
  }
  io.stderr.write(bugReport(error, argv));
  return EXIT.environment;
}

/** Everything after the first `--` is not ours to parse: it goes to the Tiltfile as it is. */
function beforeDashes(argv: readonly string[]): string[] {
  const dashes = argv.indexOf("--");
  return dashes < 0 ? [...argv] : argv.slice(0, dashes);
}

function operands(command: Command, argv: readonly string[]): string[] {
  const dashes = argv.indexOf("--");
  return [...command.args, ...(dashes < 0 ? [] : argv.slice(dashes + 1))];
}

/** The commands, for `main` and for docs/cli.md, which is generated from them. */
export function buildProgram(io: Pick<ProcessIo, "stdout" | "stderr">, attach: Attach): Command {
  const program = new Command("tilt-ci")
    .description("Takes a Tiltfile to a verdict: cluster, builds, deploys, readiness, reports.")
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .showHelpAfterError("Run tilt-ci --help for the commands and flags")
    .configureHelp({ optionDescription: describeOption })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: ./, capitalize)),
      getOutHelpWidth: () => Math.min(io.stdout.columns ?? HELP_WIDTH, MAX_HELP_WIDTH),
    });
  // a program of its own (src/cli/starlark.ts), which starts in a fraction of the time
  program.addHelpText("after", "  starlark [options] [FILE...]    evaluate Starlark files; a REPL");
  for (const add of COMMANDS) {
    const command = add(attach);
    for (const each of [command, ...command.commands]) {
      each.exitOverride().copyInheritedSettings(program);
      shortenHelp(each);
    }
    program.addCommand(command);
    for (const each of [command, ...command.commands])
      each.showHelpAfterError(
        `Run ${pathOf(each)} --help for its ${each.commands.length > 0 ? "commands" : "arguments"} and flags`,
      );
  }
  return program;
}

/** Where the width of the screen is not known. */
const HELP_WIDTH = 80;
const MAX_HELP_WIDTH = 100;

/** `error: unknown …` of the parser, as all other errors are spelled. */
function capitalize(start: string): string {
  return `Error: ${start.at(-1)?.toUpperCase()}`;
}

/** The words of a command, from the program's name on. */
function pathOf(command: Command): string {
  return [...(command.parent ? [pathOf(command.parent)] : []), command.name()].join(" ");
}

const COMMANDS: readonly ((attach: Attach) => Command)[] = [
  ciCommand,
  planCommand,
  smokeCommand,
  explainCommand,
  reportCommand,
  downCommand,
  nodeCommand,
  doctorCommand,
  (attach) => hookCommand(attach, main),
  initCommand,
];
