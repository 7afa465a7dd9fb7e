import { InternalError } from "../errors.ts";
import { VERSION } from "../version.ts";

/** What is printed when a bug of ours shows: what to do about it, and with `--debug` where it is. */
export function bugReport(error: unknown, argv: readonly string[]): string {
  const { message, hint } = new InternalError(error);
  const isDebugging = ["--debug", "-d", "--verbose", "-v"].some((flag) => argv.includes(flag));
  const stack = isDebugging && error instanceof Error ? `${error.stack}\n` : "";
  return `Error: ${message} (version ${VERSION})\n${stack}${hint}\n`;
}
