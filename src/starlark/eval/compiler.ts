import type { Position } from "../errors.ts";
import type { Binding, Expr, FunctionInfo, Stmt } from "../syntax/ast.ts";
import type { SourceText } from "../syntax/source.ts";
import type { Value } from "../values/value.ts";
import type { Code } from "./call.ts";
import type { Evaluate, Execute, Test } from "./frame.ts";
import type { Site } from "./vm.ts";

/** A point in a source text. Line and column are worked out when an error or a builtin asks. */
export class SourceSite implements Site {
  readonly functionName: string;
  readonly #source: SourceText;
  readonly #offset: number;
  #position: Position | undefined = undefined;

  constructor(functionName: string, source: SourceText, offset: number) {
    this.functionName = functionName;
    this.#source = source;
    this.#offset = offset;
  }

  get position(): Position {
    this.#position ??= this.#source.position(this.#offset);
    return this.#position;
  }
}

/** What the functions of a file share while they are compiled and run. */
export interface Module {
  readonly source: SourceText;
  /** By the index of their binding; undefined until assigned. */
  readonly globals: (Value | undefined)[];
  /** The value of a predeclared or universal name. */
  readonly outside: (name: string) => Value;
  readonly recursion: boolean;
}

/** Compiles the code of one function, or of the file's top level. Each kind of node has a room of its own. */
export interface Compiler {
  readonly module: Module;
  /** A place that errors may blame. */
  site(offset: number): Site;
  expr(expr: Expr): Evaluate;
  /** An expression of which only the truth matters. */
  test(expr: Expr): Test;
  block(stmts: readonly Stmt[]): Execute;
  /** The place of a local or free variable in the frame. */
  slot(binding: Binding): number;
  /** Whether a local variable is a parameter, and so always set. */
  isParameter(binding: Binding): boolean;
  code(info: FunctionInfo): Code;
}
