import type { Binding, Expr, FunctionInfo, Stmt, UnaryExpr } from "../syntax/ast.ts";
import { truth } from "../values/repr.ts";
import type { UnaryOperator } from "../values/value.ts";
import { minus, slowUnary } from "./arithmetic.ts";
import type { Code } from "./call.ts";
import { compileDot, compileIndex, compileName, compileSlice } from "./compile-access.ts";
import { compileBinary, compileComparison, compileLogicalTest, unparen } from "./compile-binary.ts";
import { compileCall } from "./compile-call.ts";
import { compileComprehension, compileDict, compileList, compileTuple } from "./compile-display.ts";
import { compileFunction, makeCode } from "./compile-function.ts";
import { compileBlock } from "./compile-stmt.ts";
import { type Compiler, type Module, SourceSite } from "./compiler.ts";
import type { Evaluate, Execute, Test } from "./frame.ts";
import type { Site } from "./vm.ts";

/** Turns the syntax of one function into closures over a frame: a closure for each node, fused where it pays. */
export class FunctionCompiler implements Compiler {
  readonly module: Module;
  readonly #name: string;
  readonly #localCount: number;
  readonly #paramCount: number;

  constructor(module: Module, name: string, localCount: number, paramCount: number) {
    this.module = module;
    this.#name = name;
    this.#localCount = localCount;
    this.#paramCount = paramCount;
  }

  site(offset: number): Site {
    return new SourceSite(this.#name, this.module.source, offset);
  }

  slot(binding: Binding): number {
    return binding.scope === "free" ? this.#localCount + binding.index : binding.index;
  }

  isParameter(binding: Binding): boolean {
    return binding.index < this.#paramCount;
  }

  expr(e: Expr): Evaluate {
    switch (e.kind) {
      case "name":
        return compileName(this, e);
      case "literal": {
        const { value } = e;
        return () => value;
      }
      case "list":
        return compileList(this, e.elems);
      case "tuple":
        return compileTuple(this, e.elems);
      case "dict":
        return compileDict(this, e);
      case "unary":
        return this.#unary(e);
      case "binary":
        return compileBinary(this, e);
      case "conditional":
        return this.#conditional(e);
      case "call":
        return compileCall(this, e);
      case "dot":
        return compileDot(this, e);
      case "index":
        return compileIndex(this, e);
      case "slice":
        return compileSlice(this, e);
      case "comprehension":
        return compileComprehension(this, e);
      case "lambda":
        return compileFunction(this, e.fn!);
      case "paren":
        return this.expr(unparen(e));
    }
  }

  #conditional(e: Expr & { kind: "conditional" }): Evaluate {
    const test = this.test(e.test);
    const then = this.expr(e.whenTrue);
    const otherwise = this.expr(e.whenFalse);
    return (f) => (test(f) ? then(f) : otherwise(f));
  }

  #unary(e: UnaryExpr): Evaluate {
    if (e.op === "not") return this.test(e);
    const op: UnaryOperator = e.op;
    const { operand } = e;
    if (op === "-" && operand.kind === "literal" && typeof operand.value === "number") {
      const negated = 0 - operand.value;
      return () => negated;
    }
    const site = this.site(e.pos);
    const evaluate = this.expr(operand);
    if (op !== "-") return (f) => slowUnary(op, evaluate(f), site);
    return (f) => {
      const value = evaluate(f);
      return typeof value === "number" ? minus(0, value, site) : slowUnary("-", value, site);
    };
  }

  test(e: Expr): Test {
    if (e.kind === "paren") return this.test(unparen(e));
    if (e.kind === "unary" && e.op === "not") {
      const operand = this.test(e.operand);
      return (f) => !operand(f);
    }
    if (e.kind === "binary") {
      switch (e.op) {
        case "and":
        case "or":
          return compileLogicalTest(this, e);
        case "==":
        case "!=":
        case "<":
        case "<=":
        case ">":
        case ">=":
          return compileComparison(this, e);
      }
    }
    const evaluate = this.expr(e);
    return (f) => {
      const value = evaluate(f);
      return typeof value === "boolean" ? value : truth(value);
    };
  }

  block(stmts: readonly Stmt[]): Execute {
    return compileBlock(this, stmts);
  }

  code(info: FunctionInfo): Code {
    return makeCode(this, info, () => {
      const paramCount = info.params.filter((param) => param.name !== undefined).length;
      const inner = new FunctionCompiler(this.module, info.name, info.locals.length, paramCount);
      return Array.isArray(info.body)
        ? inner.block(info.body as readonly Stmt[])
        : inner.expr(info.body as Expr);
    });
  }
}
