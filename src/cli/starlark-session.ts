import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  checkFile,
  EvaluationExit,
  execFile,
  formatError,
  formatExcerpt,
  type Globals,
  hintFor,
  isHostStackOverflow,
  type Loader,
  makeLoader,
  makeTestValues,
  type Position,
  parseFile,
  StarlarkError,
  type StarlarkString,
  stringToBytes,
  Thread,
  type Value,
} from "../starlark/index.ts";
import type { StarlarkOptions } from "./starlark-options.ts";

/** A program: where it comes from, and its bytes. */
export interface StarlarkProgram {
  readonly name: string;
  /** Undefined to read the file of that name. */
  readonly source: string | Uint8Array | undefined;
}

/** Where a session's text goes. */
export interface SessionOutput {
  write(bytes: Uint8Array): void;
  /** Whether a person reads it: errors then come with an excerpt of the source. */
  readonly isTerminal: boolean;
}

/** Runaway recursion has 100,000 frames. */
export const FOR_A_PERSON = { maxFrames: 40 } as const;

/** More stack would get further: nothing has been reported, and what was printed is what comes first again. */
export class NeedsStack extends Error {}

/** Why a module cannot be read, in the words of starlark-go; any other error as it is. */
export function unreadable(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return new Error(`open ${path}: no such file or directory`);
  if (code === "EACCES") return new Error(`open ${path}: permission denied`);
  if (code === "EISDIR") return new Error(`read ${path}: is a directory`);
  return error;
}

/** Runs programs one after the other. Loaded modules run once for all of them. */
export class StarlarkSession {
  readonly #options: StarlarkOptions;
  readonly #output: SessionOutput;
  readonly #predeclared: Map<string, Value>;
  readonly #loader: Loader;
  readonly #sources = new Map<string, string | Uint8Array>();
  readonly thread: Thread;
  /** The number of print calls so far. */
  printed = 0;
  /** Print calls that an earlier attempt has made already. */
  readonly #skip: number;

  /** Whether there is another place, with more stack, for what runs out of it here. */
  readonly #canRetry: boolean;

  constructor(
    options: StarlarkOptions,
    output: SessionOutput,
    attempt = { canRetry: false, skip: 0 },
  ) {
    this.#options = options;
    this.#output = output;
    this.#skip = attempt.skip;
    this.#canRetry = attempt.canRetry;
    this.#predeclared = options.testValues ? makeTestValues() : new Map();
    this.#loader = makeLoader((thread, path) =>
      this.#execute(thread, { name: path, source: undefined }),
    );
    this.thread = new Thread({
      print: (message) => this.#print(message),
      load: (thread, module, position) => this.#load(thread, module, position),
    });
  }

  #print(message: StarlarkString): void {
    if (this.printed++ < this.#skip) return;
    this.#output.write(stringToBytes(`${message}\n`));
  }

  #load(thread: Thread, module: string, position: Position): Globals {
    const path = join(dirname(position.file), module);
    const builtIn = this.#builtInModule(module);
    if (builtIn !== undefined && path === position.file) return builtIn;
    try {
      return this.#loader.load(thread, path);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (missing && builtIn !== undefined) return builtIn;
      throw unreadable(path, error);
    }
  }

  /** The suites load json, math and time as if they were files. */
  #builtInModule(module: string): Globals | undefined {
    const name = /^(json|math|time)\.star$/.exec(module)?.[1];
    const value = name === undefined ? undefined : this.#predeclared.get(name);
    return value === undefined ? undefined : new Map([[name!, value]]);
  }

  #execute(thread: Thread, { name, source }: StarlarkProgram): Globals {
    const text = source ?? readFileSync(name);
    this.#sources.set(name, text);
    const { dialect } = this.#options;
    return execFile(thread, {
      filename: name,
      source: text,
      predeclared: this.#predeclared,
      dialect,
    });
  }

  /** Takes a program as far as the options say. True when all went well; errors are reported. Throws NeedsStack. */
  run(program: StarlarkProgram): boolean {
    try {
      this.#perform(program);
      return true;
    } catch (error) {
      if (error instanceof EvaluationExit) return true;
      if (this.#canRetry && isHostStackOverflow(error)) throw new NeedsStack();
      this.#report(program, error);
      return false;
    }
  }

  #perform(program: StarlarkProgram): void {
    const { stage, dialect } = this.#options;
    if (stage === "run") {
      this.#execute(this.thread, program);
      return;
    }
    const source = program.source ?? readFileSync(program.name);
    this.#sources.set(program.name, source);
    const file = parseFile(program.name, source);
    if (stage === "parse") return;
    checkFile(file, {
      dialect,
      isPredeclared: (name) => name === "M",
      isUniversal: (name) => name === "U" || name === "float",
    });
  }

  #report({ name }: StarlarkProgram, error: unknown): void {
    if (error instanceof StarlarkError) {
      const text = formatError(error, this.#output.isTerminal ? FOR_A_PERSON : undefined);
      this.#write(`${text}\n${this.#excerpt(error)}`);
    } else if ((error as NodeJS.ErrnoException).code !== undefined) {
      this.#write(`Cannot read ${name}: ${(error as Error).message}\n`);
    } else throw error;
  }

  #write(text: string): void {
    this.#output.write(Buffer.from(text));
  }

  /** For a person: the line that is to blame, with a caret, and what to do instead of a habit from Python. */
  #excerpt(error: StarlarkError): string {
    const { position } = error;
    const source = position && this.#sources.get(position.file);
    if (!this.#output.isTerminal || position === undefined || source === undefined) return "";
    const text = typeof source === "string" ? source : Buffer.from(source).toString("utf8");
    const excerpt = formatExcerpt(text, position, { color: true });
    const hint = hintFor(error, text.split(/\r\n|\r|\n/)[position.line - 1] ?? "");
    return `${excerpt === "" ? "" : `${excerpt}\n`}${hint === undefined ? "" : `hint: ${hint}\n`}`;
  }
}
