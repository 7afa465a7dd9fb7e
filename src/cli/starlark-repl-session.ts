import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  execChunk,
  execFile,
  formatError,
  type Globals,
  hintFor,
  type Loader,
  makeLoader,
  makeTestValues,
  reprText,
  StarlarkError,
  Thread,
  toJsString,
} from "../starlark/index.ts";
import type { StarlarkOptions } from "./starlark-options.ts";
import { FOR_A_PERSON, unreadable } from "./starlark-session.ts";

/** The name of what is typed, in positions. */
export const REPL_FILE = "<stdin>";

/** The globals of a REPL, and how an input changes them. */
export class ReplSession {
  readonly #options: StarlarkOptions;
  readonly #write: (text: string) => void;
  readonly #cancelFlag: Int32Array | undefined;
  readonly #globals: Globals = new Map();
  readonly #predeclared: Globals;
  #loader: Loader;

  /** Setting `[0]` of the flag interrupts an input; whoever evaluates the next one resets it. */
  constructor(options: StarlarkOptions, write: (text: string) => void, cancelFlag?: Int32Array) {
    this.#options = options;
    this.#write = write;
    this.#cancelFlag = cancelFlag;
    this.#predeclared = options.testValues ? makeTestValues() : new Map();
    this.#loader = this.#makeLoader();
  }

  /** Evaluates an input, and shows its value or its error. */
  evaluate(source: string): void {
    try {
      const value = execChunk(this.#makeThread(), {
        filename: REPL_FILE,
        source,
        globals: this.#globals,
        predeclared: this.#predeclared,
        // Each input is a file of its own, and what it loads is meant for the next ones.
        dialect: { ...this.#options.dialect, loadBindsGlobally: true },
      });
      if (value !== undefined && value !== null) this.#write(`${reprText(value)}\n`);
    } catch (error) {
      if (!(error instanceof StarlarkError)) throw error;
      const hint = replHint(error, source);
      const text = formatError(error, FOR_A_PERSON);
      this.#write(`${text}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
      // A module that was interrupted has not failed: it may be asked for again.
      if (this.#cancelFlag?.[0]) this.#loader = this.#makeLoader();
    }
  }

  /** A thread that was cancelled once stays so: each input has its own. */
  #makeThread(): Thread {
    return new Thread({
      print: (message) => this.#write(`${toJsString(message)}\n`),
      load: (thread, module, { file }) => this.#load(thread, module, file),
      ...(this.#cancelFlag && { cancelFlag: this.#cancelFlag }),
    });
  }

  #load(thread: Thread, module: string, file: string): Globals {
    const path = file === REPL_FILE ? module : join(dirname(file), module);
    try {
      return this.#loader.load(thread, path);
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  #makeLoader(): Loader {
    const { dialect } = this.#options;
    return makeLoader((thread, path) =>
      execFile(thread, {
        filename: path,
        source: readFileSync(path),
        predeclared: this.#predeclared,
        dialect,
      }),
    );
  }
}

/** What a person at a prompt may not know. */
function replHint(error: StarlarkError, source: string): string | undefined {
  if (/^undefined: (exit|quit)\b/.test(error.message)) return "Ctrl-D ends the session";
  const { position } = error;
  if (position === undefined || position.file !== REPL_FILE) return undefined;
  return hintFor(error, source.split("\n")[position.line - 1] ?? "");
}
