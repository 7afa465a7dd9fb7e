import { CORE_DIALECT, type Dialect } from "../dialect.ts";
import { type Environment, type ModuleScope, resolveFile } from "../resolve/resolve.ts";
import type { SyntaxFile } from "../syntax/ast.ts";
import { NestingError, parseFile } from "../syntax/parse.ts";
import { UNIVERSE } from "../universe/universe.ts";
import { freeze } from "../values/freeze.ts";
import { fromJsString, toJsString } from "../values/text.ts";
import type { Value } from "../values/value.ts";
import type { Module } from "./compiler.ts";
import type { Globals, Thread } from "./thread.ts";
import { Toplevel } from "./toplevel.ts";
import { isStackOverflow, StackOverflow, stackFrames } from "./vm.ts";

/** A file to run. */
export interface ExecOptions {
  readonly filename: string;
  /** Text, or the file's bytes. */
  readonly source: string | Uint8Array;
  /** The names that the file may use, besides the universal ones. */
  readonly predeclared?: ReadonlyMap<string, Value>;
  readonly dialect?: Dialect;
}

/** What a parsed file is run with. */
export interface RunOptions {
  readonly predeclared?: ReadonlyMap<string, Value>;
  readonly dialect?: Dialect;
}

const NOTHING: ReadonlyMap<string, Value> = new Map();

/** Runs a file in a thread; its global variables, frozen. Throws StarlarkErrors. */
export function execFile(thread: Thread, options: ExecOptions): Globals {
  return runFile(thread, parseFile(options.filename, options.source), options);
}

/** Names are bytes within, and text at the door. */
function byBytes(names: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  return new Map([...names].map(([name, value]) => [fromJsString(name), value]));
}

function environmentOf(predeclared: ReadonlyMap<string, Value>, dialect: Dialect): Environment {
  return {
    dialect,
    isPredeclared: (name) => predeclared.has(name),
    isUniversal: (name) => UNIVERSE.has(name),
    names: () =>
      [...predeclared.keys(), ...UNIVERSE.keys()].filter((name) =>
        isWorthSuggesting(name, dialect),
      ),
  };
}

/** A constant is hardly what a mistyped name was meant to be. */
function isWorthSuggesting(name: string, dialect: Dialect): boolean {
  return !["None", "True", "False"].includes(name) && (dialect.set || name !== "set");
}

/** Resolves and runs a parsed file; its global variables, frozen. Throws StarlarkErrors. */
export function runFile(thread: Thread, file: SyntaxFile, options: RunOptions = {}): Globals {
  const predeclared = byBytes(options.predeclared ?? NOTHING);
  const dialect = options.dialect ?? CORE_DIALECT;
  const scope = withoutOverflow(file, () => resolveFile(file, environmentOf(predeclared, dialect)));
  const module: Module = {
    source: file.source,
    globals: new Array<undefined>(scope.globals.length).fill(undefined),
    outside: (name) => (predeclared.has(name) ? predeclared.get(name)! : UNIVERSE.get(name)!),
    recursion: dialect.recursion,
  };
  try {
    thread.run(() => runToplevel(thread, file, module, scope));
  } finally {
    for (const value of module.globals) if (value !== undefined) freeze(value);
  }
  const globals: Globals = new Map();
  for (const { name, index } of scope.globals) {
    const value = module.globals[index];
    if (value !== undefined) globals.set(toJsString(name), value);
  }
  return globals;
}

function runToplevel(thread: Thread, file: SyntaxFile, module: Module, scope: ModuleScope): void {
  try {
    new Toplevel(thread, module, scope).run(file.stmts);
  } catch (error) {
    throw isStackOverflow(error) ? new StackOverflow(stackFrames(), true) : error;
  }
}

/** A static phase that runs out of stack blames the file's nesting. */
function withoutOverflow<T>(file: SyntaxFile, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (isStackOverflow(error))
      throw new NestingError("excessive nesting", file.source.position(0));
    throw error;
  }
}

/**
 * Runs a piece of a program whose pieces share their globals, as a REPL does; nothing is frozen. Returns the value of
 * its last statement if that is an expression, else undefined. Throws StarlarkErrors; assignments made until then stay.
 */
export function execChunk(
  thread: Thread,
  options: ExecOptions & { readonly globals: Globals },
): Value | undefined {
  const { globals } = options;
  const predeclared = byBytes(options.predeclared ?? NOTHING);
  const dialect = options.dialect ?? CORE_DIALECT;
  const file = parseFile(options.filename, options.source);
  const environment = environmentOf(predeclared, dialect);
  const scope = resolveFile(file, {
    ...environment,
    isGlobal: (name) => globals.has(toJsString(name)),
  });
  const module: Module = {
    source: file.source,
    globals: scope.globals.map(({ name }) => globals.get(toJsString(name))),
    outside: (name) => (predeclared.has(name) ? predeclared.get(name)! : UNIVERSE.get(name)!),
    recursion: dialect.recursion,
  };
  const toplevel = new Toplevel(thread, module, scope);
  try {
    thread.run(() => toplevel.run(file.stmts));
  } catch (error) {
    throw isStackOverflow(error) ? new StackOverflow([], true) : error;
  } finally {
    for (const { name, index } of scope.globals) {
      const value = module.globals[index];
      if (value !== undefined) globals.set(toJsString(name), value);
    }
  }
  return file.stmts.at(-1)?.kind === "expr" ? toplevel.lastValue : undefined;
}
