import { EvaluationError, formatPosition, StarlarkError } from "../errors.ts";
import type { ModuleScope } from "../resolve/resolve.ts";
import { nearestName } from "../spell.ts";
import type { Expr, LoadStmt, Stmt } from "../syntax/ast.ts";
import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { Cell } from "../values/function.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { fromJsString, toJsString } from "../values/text.ts";
import type { Value } from "../values/value.ts";
import { placeAt } from "./call.ts";
import { FunctionCompiler } from "./compile.ts";
import { compileStore, compileStoreName } from "./compile-assign.ts";
import { insertEntry } from "./compile-display.ts";
import type { Module } from "./compiler.ts";
import { type Frame, newFrame } from "./frame.ts";
import type { Globals, Thread } from "./thread.ts";
import { type Site, vm } from "./vm.ts";

/** The name of a file's top level in tracebacks. */
export const TOPLEVEL = "<toplevel>";

/**
 * Runs the statements of a file. What runs once is not worth closures: displays of data, of which large files
 * consist, are evaluated from the syntax tree.
 */
export class Toplevel {
  readonly #thread: Thread;
  readonly #module: Module;
  readonly #compiler: FunctionCompiler;
  readonly #frame: Frame;

  constructor(thread: Thread, module: Module, scope: ModuleScope) {
    this.#thread = thread;
    this.#module = module;
    this.#compiler = new FunctionCompiler(module, TOPLEVEL, scope.locals.length, 0);
    this.#frame = newFrame(scope.locals.length);
    for (const { scope: kind, index } of scope.locals) {
      if (kind === "cell") this.#frame[index] = new Cell(undefined);
    }
  }

  run(stmts: readonly Stmt[]): void {
    for (const stmt of stmts) this.#execute(stmt);
  }

  /** The value of the last expression statement, for a REPL. */
  lastValue: Value | undefined = undefined;

  #execute(stmt: Stmt): void {
    switch (stmt.kind) {
      case "load":
        this.#load(stmt);
        break;
      case "expr":
        this.lastValue = this.#evaluate(stmt.expr);
        break;
      case "assign":
        if (stmt.op === "") {
          const value = this.#evaluate(stmt.value);
          compileStore(this.#compiler, stmt.target, stmt.pos)(this.#frame, value);
          break;
        }
        this.#compiler.block([stmt])(this.#frame);
        break;
      default:
        this.#compiler.block([stmt])(this.#frame);
    }
  }

  #evaluate(e: Expr): Value {
    switch (e.kind) {
      case "literal":
        return e.value;
      case "list":
        return new StarlarkList(this.#elements(e.elems));
      case "tuple":
        return new StarlarkTuple(this.#elements(e.elems));
      case "dict": {
        const dict = new StarlarkDict();
        for (const { key, value, pos } of e.entries) {
          const k = this.#evaluate(key);
          const v = this.#evaluate(value);
          if (typeof k !== "string" || !dict.insert(k, v))
            insertEntry(dict, k, v, this.#compiler.site(pos));
        }
        return dict;
      }
      case "paren":
        return this.#evaluate(e.inner);
      default:
        return this.#compiler.expr(e)(this.#frame);
    }
  }

  #elements(exprs: readonly Expr[]): Value[] {
    const elems: Value[] = [];
    for (const expr of exprs)
      elems.push(expr.kind === "literal" ? expr.value : this.#evaluate(expr));
    return elems;
  }

  #load(stmt: LoadStmt): void {
    const site = this.#compiler.site(stmt.pos);
    const globals = this.#loadModule(
      toJsString(stmt.module),
      this.#module.source.position(stmt.pos),
      site,
    );
    const values = stmt.names.map(({ from }) => {
      const value = globals.get(toJsString(from));
      if (value === undefined) throw placeAt(notFound(from, stmt.module, globals), site);
      return value;
    });
    stmt.names.forEach(({ to }, i) => {
      compileStoreName(this.#compiler, to)(this.#frame, values[i]!);
    });
  }

  #loadModule(module: string, position: Site["position"], site: Site): Globals {
    const thread = this.#thread;
    const { depth } = vm;
    try {
      if (thread.load === undefined) throw fault("load not implemented by this application");
      vm.sites[++vm.depth] = site;
      vm.builtin = undefined;
      return thread.load(thread, module, position);
    } catch (error) {
      vm.depth = depth;
      if (!(error instanceof Error) || thread.load === undefined) throw placeAt(error, site);
      throw placeAt(new LoadError(module, error), site);
    } finally {
      vm.depth = depth;
    }
  }
}

/** A module that could not be loaded, with the module's own error as the cause. */
class LoadError extends Error {
  constructor(module: string, cause: Error) {
    super(`cannot load ${module}: ${describe(cause)}`, { cause });
  }
}

/** A static error's text begins with its position; an evaluation error shows it in its own traceback. */
function describe(error: Error): string {
  const isStatic = error instanceof StarlarkError && !(error instanceof EvaluationError);
  if (!isStatic || error.position === undefined) return error.message;
  return `${formatPosition(error.position)}: ${error.message}`;
}

function notFound(name: string, module: string, globals: Globals): Error {
  const near = nearestName(name, [...globals.keys()].map(fromJsString).sort());
  const message = `load: name ${name} not found in module ${module}`;
  return fault(near === undefined ? message : `${message} (did you mean ${near}?)`);
}
