import type { Readable, Writable } from "node:stream";
import {
  execChunk,
  formatError,
  type Globals,
  makeTestValues,
  ParseError,
  parseFile,
  reprText,
  StarlarkError,
  Thread,
  toJsString,
} from "../starlark/index.ts";
import type { StarlarkOptions } from "./starlark-options.ts";

const PROMPT = ">>> ";
const MORE = "... ";

/** Whether what has been typed cannot be a whole statement yet. */
export function wantsMore(source: string): boolean {
  const lines = source.split("\n");
  // A compound statement ends with a blank line.
  if (/^(def|if|for|while)\b/.test(source)) return lines.at(-1)!.trim() !== "";
  try {
    parseFile("<stdin>", source);
    return false;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return /end of file|unexpected EOF/.test(error.message) && lines.at(-1)!.trim() !== "";
  }
}

/** Reads statements from a terminal and prints their values, until the input ends. Returns the exit code. */
export async function runRepl(
  options: StarlarkOptions,
  input: Readable,
  output: Writable,
): Promise<number> {
  const globals: Globals = new Map();
  const predeclared = options.testValues ? makeTestValues() : new Map();
  const { dialect } = options;
  const thread = new Thread({ print: (message) => output.write(`${toJsString(message)}\n`) });
  const { createInterface } = await import("node:readline"); // spares the other uses of the command its start
  const lines = createInterface({ input, output, prompt: PROMPT });
  let source = "";
  lines.prompt();
  for await (const line of lines) {
    source += source === "" ? line : `\n${line}`;
    if (wantsMore(source)) {
      lines.setPrompt(MORE);
      lines.prompt();
      continue;
    }
    try {
      const value = execChunk(thread, {
        filename: "<stdin>",
        source,
        globals,
        predeclared,
        dialect,
      });
      if (value !== undefined && value !== null) output.write(`${reprText(value)}\n`);
    } catch (error) {
      if (!(error instanceof StarlarkError)) throw error;
      output.write(`${formatError(error)}\n`);
    }
    source = "";
    lines.setPrompt(PROMPT);
    lines.prompt();
  }
  output.write("\n");
  return 0;
}
