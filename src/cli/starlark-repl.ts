import type { Readable, Writable } from "node:stream";
import { ParseError, parseFile } from "../starlark/index.ts";
import { REPL_FILE } from "./starlark-repl-session.ts";

const PROMPT = ">>> ";
const MORE = "... ";

/** Evaluates what is typed, one input after the other, with globals that stay. */
export interface ReplEvaluator {
  /** Shows what an input comes to, its error included. */
  evaluate(source: string): Promise<void>;
  /** Makes the input that is being evaluated fail soon. The session goes on. */
  interrupt(): void;
}

/** Whether what has been typed cannot be a whole statement yet. */
export function wantsMore(source: string): boolean {
  const lines = source.split("\n");
  if (lines.at(-1)!.endsWith("\\")) return true;
  // A compound statement ends with a blank line.
  if (/^(def|if|for|while)\b/.test(source)) return lines.at(-1)!.trim() !== "";
  try {
    parseFile(REPL_FILE, source);
    return false;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return /end of file|unexpected EOF/.test(error.message) && lines.at(-1)!.trim() !== "";
  }
}

/** Reads statements from a terminal and has them evaluated, until the input ends. Returns the exit code. */
export async function runRepl(
  evaluator: ReplEvaluator,
  input: Readable,
  output: Writable,
): Promise<number> {
  const { createInterface } = await import("node:readline"); // spares the other uses of the command its start
  const lines = createInterface({ input, output, prompt: PROMPT });
  let source = "";
  let running = false;
  const prompt = (text: string) => {
    lines.setPrompt(text);
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    output.write("^C\n");
    if (running) return evaluator.interrupt();
    source = "";
    lines.setPrompt(PROMPT);
    // What has been typed of this line, on both sides of the cursor, is not input any more. This shows the prompt, too.
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
  });
  prompt(PROMPT);
  for await (const line of lines) {
    source += source === "" ? line : `\n${line}`;
    if (wantsMore(source)) {
      prompt(MORE);
      continue;
    }
    running = true;
    await evaluator.evaluate(source);
    running = false;
    source = "";
    prompt(PROMPT);
  }
  output.write("\n");
  return 0;
}
