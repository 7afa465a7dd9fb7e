import type { Binding, Expr, FunctionInfo, Param, Stmt } from "../syntax/ast.ts";
import { type Cell, StarlarkFunction } from "../values/function.ts";
import type { StarlarkString } from "../values/text.ts";
import { Code } from "./call.ts";
import { type Compiler, SourceSite } from "./compiler.ts";
import type { Evaluate, Execute } from "./frame.ts";

/** Compiles a def or lambda to what makes the function: defaults are evaluated then, variables captured. */
export function compileFunction(c: Compiler, info: FunctionInfo): Evaluate {
  const code = c.code(info);
  const defaults = ordinaryParams(info).map((param) => {
    return param.default === undefined ? undefined : c.expr(param.default);
  });
  const anyDefault = defaults.some((evaluate) => evaluate !== undefined);
  const captured = info.freeVars.map((binding) => c.slot(binding));
  if (!anyDefault && captured.length === 0) return () => new StarlarkFunction(code, [], []);
  return (f) => {
    const values = defaults.map((evaluate) => evaluate?.(f));
    const cells = captured.map((slot) => f[slot] as Cell);
    return new StarlarkFunction(code, anyDefault ? values : [], cells);
  };
}

function ordinaryParams(info: FunctionInfo) {
  return info.params.filter((param) => param.kind === "required" || param.kind === "optional");
}

function docOf(body: readonly Stmt[] | Expr): StarlarkString | undefined {
  const first = Array.isArray(body) ? (body as readonly Stmt[])[0] : undefined;
  if (first?.kind !== "expr" || first.expr.kind !== "literal") return undefined;
  return typeof first.expr.value === "string" ? (first.expr.value as StarlarkString) : undefined;
}

/** The offset that starlark-go blames for wrong arguments: the first name that the body reads at once, or the def. */
function entryOffset(info: FunctionInfo): number {
  const { body } = info;
  const offset = Array.isArray(body)
    ? firstOffset(body as readonly Stmt[])
    : firstRead(body as Expr);
  return offset ?? info.pos;
}

function firstOffset(stmts: readonly Stmt[]): number | undefined {
  for (const stmt of stmts) {
    switch (stmt.kind) {
      case "branch":
        if (stmt.op !== "pass") return undefined;
        break;
      case "expr":
        return firstRead(stmt.expr);
      case "assign":
        return firstRead(stmt.op === "" ? stmt.value : stmt.target);
      case "return":
        return stmt.value === undefined ? undefined : firstRead(stmt.value);
      case "if":
        return firstRead(stmt.branches[0]!.test);
      case "for":
        return firstRead(stmt.iterable);
      case "while":
        return firstRead(stmt.test);
      case "def":
        return firstDefault(stmt.params) ?? stmt.pos;
      case "load":
        return undefined;
    }
  }
  return undefined;
}

function firstDefault(params: readonly Param[]): number | undefined {
  const first = params.find((param) => param.default !== undefined);
  return first === undefined ? undefined : firstRead(first.default!);
}

function firstRead(expr: Expr): number | undefined {
  switch (expr.kind) {
    case "name":
      return expr.binding!.scope === "universal" ? undefined : expr.pos;
    case "list":
    case "tuple":
      return expr.elems.length === 0 ? undefined : firstRead(expr.elems[0]!);
    case "unary":
      return firstRead(expr.operand);
    case "binary":
      return firstRead(expr.left);
    case "conditional":
      return firstRead(expr.test);
    case "call":
      return firstRead(expr.callee);
    case "dot":
    case "index":
      return firstRead(expr.object);
    case "slice":
      return firstRead(expr.object) ?? expr.pos;
    case "lambda":
      return firstDefault(expr.params) ?? expr.pos;
    case "paren":
      return firstRead(expr.inner);
    default:
      return undefined;
  }
}

/** The code of a def or lambda, whose body is compiled when it is first called. */
export function makeCode(c: Compiler, info: FunctionInfo, compileBody: () => Execute): Code {
  const params = ordinaryParams(info);
  const cellSlots = info.locals
    .filter((binding: Binding) => binding.scope === "cell")
    .map(({ index }) => index);
  return new Code({
    name: info.name,
    site: new SourceSite(info.name, c.module.source, entryOffset(info)),
    definition: new SourceSite(info.name, c.module.source, info.pos),
    paramNames: params.map((param) => param.name!.name),
    hasVarargs: info.hasVarargs,
    hasKwargs: info.hasKwargs,
    numKwonly: info.numKwonly,
    localCount: info.locals.length,
    freeCount: info.freeVars.length,
    cellSlots,
    recursion: c.module.recursion,
    doc: docOf(info.body),
    compile: compileBody,
  });
}
