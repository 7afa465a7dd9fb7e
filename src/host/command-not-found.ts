/** The program to run does not exist (or its working directory does not). */
export class CommandNotFoundError extends Error {
  readonly command: string;
  constructor(command: string, cause?: unknown) {
    super(`Cannot run "${command}": no such program on PATH`, { cause });
    this.name = "CommandNotFoundError";
    this.command = command;
  }
}
