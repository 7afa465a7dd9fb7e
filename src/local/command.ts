import { stat } from "node:fs/promises";
import { PhaseFailure } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host } from "../host/host.ts";
import { commandText, commandTitle } from "../model/command-text.ts";
import type { Command } from "../model/plan.ts";
import type { ReasonCode } from "../model/reason.ts";
import { type CommandSurroundings, commandEnvironment } from "./environment.ts";

const TAIL_LINES = 20;

export interface CommandHooks {
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void | Promise<void>;
  readonly onPid?: (pid: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs `cmd` of a local resource to its end. Throws `PhaseFailure` (CommandFailed) for a status other than 0 or a
 * program or directory that does not exist, `CancelledError` when the signal fired.
 */
export async function runCommand(
  command: Command,
  surroundings: CommandSurroundings,
  host: Host,
  { onLine, onPid, signal }: CommandHooks,
  code: ReasonCode = "CommandFailed",
): Promise<void> {
  const text = commandTitle(command.argv);
  await requireDirectory(command, code);
  const tail: string[] = [];
  const outcome = await host
    .run(command.argv, {
      cwd: command.dir,
      env: commandEnvironment(surroundings, command.env),
      signal,
      maxBuffer: 0,
      ...(onPid ? { onPid } : {}),
      onLine: (line, stream) => {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        return onLine(line, stream);
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof CommandNotFoundError)) throw error;
      throw commandFailure(command, `Command "${text}" failed: ${error.message}`, [], code);
    });
  if (outcome.exitCode === 0) return;
  const status = outcome.signal ? `ended by ${outcome.signal}` : `exit status ${outcome.exitCode}`;
  throw commandFailure(command, `Command "${text}" failed: ${status}`, tail, code);
}

function commandFailure(
  command: Command,
  message: string,
  tail: readonly string[],
  code: ReasonCode,
): PhaseFailure {
  return new PhaseFailure({
    code,
    message,
    object: commandText(command.argv),
    ...(tail.length > 0 ? { detail: tail.join("\n") } : {}),
  });
}

async function requireDirectory(command: Command, code: ReasonCode): Promise<void> {
  const found = await stat(command.dir).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw commandFailure(
    command,
    `Command "${commandTitle(command.argv)}" cannot run: no directory ${command.dir}`,
    [],
    code,
  );
}
