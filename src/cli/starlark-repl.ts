import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import {
  execChunk,
  execFile,
  formatError,
  type Globals,
  hintFor,
  makeLoader,
  makeTestValues,
  ParseError,
  parseFile,
  reprText,
  StarlarkError,
  Thread,
  toJsString,
} from "../starlark/index.ts";
import type { StarlarkOptions } from "./starlark-options.ts";
import { FOR_A_PERSON } from "./starlark-session.ts";

const FILENAME = "<stdin>";
const PROMPT = ">>> ";
const MORE = "... ";

/** Whether what has been typed cannot be a whole statement yet. */
export function wantsMore(source: string): boolean {
  const lines = source.split("\n");
  if (lines.at(-1)!.endsWith("\\")) return true;
  // A compound statement ends with a blank line.
  if (/^(def|if|for|while)\b/.test(source)) return lines.at(-1)!.trim() !== "";
  try {
    parseFile(FILENAME, source);
    return false;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return /end of file|unexpected EOF/.test(error.message) && lines.at(-1)!.trim() !== "";
  }
}

/** A terminal as Node gives it. */
interface Terminal extends Readable {
  setRawMode?(raw: boolean): unknown;
}

/** A thread whose programs print to the terminal and load files from the current directory. */
function makeThread({ dialect }: StarlarkOptions, predeclared: Globals, output: Writable): Thread {
  const loader = makeLoader((thread, path) =>
    execFile(thread, { filename: path, source: readFileSync(path), predeclared, dialect }),
  );
  return new Thread({
    print: (message) => output.write(`${toJsString(message)}\n`),
    load: (thread, module, { file }) =>
      loader.load(thread, file === FILENAME ? module : join(dirname(file), module)),
  });
}

/** Reads statements from a terminal and prints their values, until the input ends. Returns the exit code. */
export async function runRepl(
  options: StarlarkOptions,
  input: Terminal,
  output: Writable,
): Promise<number> {
  const globals: Globals = new Map();
  // Each statement is a file of its own, and what it loads is meant for the next ones.
  const dialect = { ...options.dialect, loadBindsGlobally: true };
  const predeclared: Globals = options.testValues ? makeTestValues() : new Map();
  const thread = makeThread(options, predeclared, output);
  const { createInterface } = await import("node:readline"); // spares the other uses of the command its start
  const lines = createInterface({ input, output, prompt: PROMPT });
  let source = "";
  const prompt = (text: string) => {
    lines.setPrompt(text);
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    source = "";
    output.write("\n");
    prompt(PROMPT);
  });
  prompt(PROMPT);
  for await (const line of lines) {
    source += source === "" ? line : `\n${line}`;
    if (wantsMore(source)) {
      prompt(MORE);
      continue;
    }
    // In raw mode Ctrl-C is a character that nobody reads while the program runs; without it, it ends the process.
    input.setRawMode?.(false);
    evaluate(thread, { filename: FILENAME, source, globals, predeclared, dialect }, output);
    input.setRawMode?.(true);
    source = "";
    prompt(PROMPT);
  }
  output.write("\n");
  return 0;
}

function evaluate(thread: Thread, chunk: Parameters<typeof execChunk>[1], output: Writable): void {
  try {
    const value = execChunk(thread, chunk);
    if (value !== undefined && value !== null) output.write(`${reprText(value)}\n`);
  } catch (error) {
    if (!(error instanceof StarlarkError)) throw error;
    const hint = replHint(error, chunk.source as string);
    output.write(
      `${formatError(error, FOR_A_PERSON)}\n${hint === undefined ? "" : `hint: ${hint}\n`}`,
    );
  }
}

/** What a person at a prompt may not know. */
function replHint(error: StarlarkError, source: string): string | undefined {
  if (/^undefined: (exit|quit)\b/.test(error.message)) return "Ctrl-D ends the session";
  const { position } = error;
  if (position === undefined || position.file !== FILENAME) return undefined;
  return hintFor(error, source.split("\n")[position.line - 1] ?? "");
}
