import type { BinaryExpr, Expr } from "../syntax/ast.ts";
import { truth } from "../values/repr.ts";
import type { BinaryOperator, Value } from "../values/value.ts";
import {
  equal,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  minus,
  plus,
  quotient,
  remainder,
  slowBinary,
  times,
} from "./arithmetic.ts";
import type { Compiler } from "./compiler.ts";
import type { Evaluate, Test } from "./frame.ts";
import type { Site } from "./vm.ts";

/* Binary operators. Operands that are local variables or small constants are read in line, without a closure. */

/** The slot of an operand that is a variable of this function and no cell; -1 for others. */
export function localSlot(c: Compiler, expr: Expr): number {
  if (expr.kind === "paren") return localSlot(c, expr.inner);
  return expr.kind === "name" && expr.binding?.scope === "local" ? c.slot(expr.binding) : -1;
}

/** The number that an operand is, if it is a small literal. */
function constantNumber(expr: Expr): number | undefined {
  return expr.kind === "literal" && typeof expr.value === "number" ? expr.value : undefined;
}

/** Without parentheses. */
export function unparen(expr: Expr): Expr {
  let e = expr;
  while (e.kind === "paren") e = e.inner;
  return e;
}

type Operator = (a: Value, b: Value, site: Site) => Value;

function strict(op: BinaryOperator): Operator {
  return (a, b, site) => slowBinary(op, a, b, site);
}

/** The strict operators, for chains that are walked and not nested. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["+", plus],
  ["-", minus],
  ["*", times],
  ["%", remainder],
  ["//", quotient],
  ...(["/", "|", "&", "^", "<<", ">>", "in", "not in"] as const).map((op): [string, Operator] => [
    op,
    strict(op),
  ]),
]);

/** A chain longer than this is evaluated in a loop: nested closures would use up the stack. */
const MAX_NESTED_CHAIN = 24;

/** Compiles an operator that yields a value. */
export function compileBinary(c: Compiler, e: BinaryExpr): Evaluate {
  switch (e.op) {
    case "and":
    case "or":
      return compileLogical(c, e);
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compileComparison(c, e);
  }
  return compileChain(c, e) ?? compileStrict(c, e);
}

/** `a + b - c …` with many operands. */
function compileChain(c: Compiler, e: BinaryExpr): Evaluate | undefined {
  const parts: BinaryExpr[] = [];
  let left: Expr = e;
  while (left.kind === "binary" && OPERATORS.has(left.op)) {
    parts.push(left);
    left = unparen(left.left);
  }
  if (parts.length <= MAX_NESTED_CHAIN) return undefined;
  const first = c.expr(left);
  const steps = parts.reverse().map((part) => ({
    operator: OPERATORS.get(part.op)!,
    right: c.expr(part.right),
    site: c.site(part.pos),
  }));
  return (f) => {
    let value = first(f);
    for (const { operator, right, site } of steps) value = operator(value, right(f), site);
    return value;
  };
}

function compileStrict(c: Compiler, e: BinaryExpr): Evaluate {
  const site = c.site(e.pos);
  const left = c.expr(e.left);
  const right = c.expr(e.right);
  switch (e.op) {
    case "+":
      return compilePlus(c, e, left, right, site);
    case "-":
      return compileMinus(c, e, left, right, site);
    case "*":
      return (f) => times(left(f), right(f), site);
    case "%":
      return compileRemainder(e, left, right, site);
    case "//":
      return compileQuotient(e, left, right, site);
    default: {
      const op = e.op as BinaryOperator;
      return (f) => slowBinary(op, left(f), right(f), site);
    }
  }
}

function compilePlus(
  c: Compiler,
  e: BinaryExpr,
  left: Evaluate,
  right: Evaluate,
  site: Site,
): Evaluate {
  const slot = localSlot(c, e.left);
  const n = constantNumber(e.right);
  if (n !== undefined) {
    return (f) => {
      const a = left(f);
      return typeof a === "number" && a < 2 ** 51 && a > -(2 ** 51) && n < 2 ** 51
        ? a + n
        : plus(a, n, site);
    };
  }
  const other = localSlot(c, e.right);
  if (slot >= 0 && other >= 0) {
    return (f) => {
      const a = f[slot];
      const b = f[other];
      if (typeof a === "number" && typeof b === "number") return plus(a, b, site);
      return plus(left(f), right(f), site);
    };
  }
  return (f) => plus(left(f), right(f), site);
}

function compileMinus(
  c: Compiler,
  e: BinaryExpr,
  left: Evaluate,
  right: Evaluate,
  site: Site,
): Evaluate {
  const slot = localSlot(c, e.left);
  const n = constantNumber(e.right);
  if (n !== undefined && n < 2 ** 51) {
    if (slot >= 0) {
      return (f) => {
        const a = f[slot];
        return typeof a === "number" && a < 2 ** 51 && a > -(2 ** 51)
          ? a - n
          : minus(left(f), n, site);
      };
    }
    return (f) => minus(left(f), n, site);
  }
  return (f) => minus(left(f), right(f), site);
}

function compileRemainder(e: BinaryExpr, left: Evaluate, right: Evaluate, site: Site): Evaluate {
  const n = constantNumber(e.right);
  if (n === undefined || n <= 0) return (f) => remainder(left(f), right(f), site);
  return (f) => {
    const a = left(f);
    if (typeof a !== "number") return remainder(a, n, site);
    const rest = a % n;
    return rest < 0 ? rest + n : rest + 0;
  };
}

function compileQuotient(e: BinaryExpr, left: Evaluate, right: Evaluate, site: Site): Evaluate {
  const n = constantNumber(e.right);
  if (n === undefined || n <= 0) return (f) => quotient(left(f), right(f), site);
  return (f) => {
    const a = left(f);
    if (typeof a !== "number" || a < 0) return quotient(a, n, site);
    return (a - (a % n)) / n;
  };
}

/** `and` and `or` give one of their operands. A chain is flat, so that it needs no stack. */
function compileLogical(c: Compiler, e: BinaryExpr): Evaluate {
  const operands = logicalOperands(e).map((operand) => c.expr(operand));
  const last = operands.pop()!;
  const stop = e.op === "or";
  if (operands.length === 1) {
    const first = operands[0]!;
    return (f) => {
      const value = first(f);
      return truth(value) === stop ? value : last(f);
    };
  }
  return (f) => {
    for (const operand of operands) {
      const value = operand(f);
      if (truth(value) === stop) return value;
    }
    return last(f);
  };
}

function logicalOperands(e: BinaryExpr): Expr[] {
  const operands: Expr[] = [];
  let left: Expr = e;
  while (left.kind === "binary" && left.op === e.op) {
    operands.push(left.right);
    left = unparen(left.left);
  }
  operands.push(left);
  return operands.reverse();
}

/** `and` and `or` where only the truth matters. */
export function compileLogicalTest(c: Compiler, e: BinaryExpr): Test {
  const operands = logicalOperands(e).map((operand) => c.test(operand));
  const stop = e.op === "or";
  if (operands.length === 2) {
    const [first, second] = operands as [Test, Test];
    return stop ? (f) => first(f) || second(f) : (f) => first(f) && second(f);
  }
  return (f) => {
    for (const operand of operands) if (operand(f) === stop) return stop;
    return !stop;
  };
}

/** A comparison, whose value is its truth. */
export function compileComparison(c: Compiler, e: BinaryExpr): Test {
  const site = c.site(e.pos);
  const slot = localSlot(c, e.left);
  const n = constantNumber(unparen(e.right));
  const left = c.expr(e.left);
  const right = c.expr(e.right);
  switch (e.op) {
    case "==":
      return compileEquality(left, right, unparen(e.right), site);
    case "!=": {
      const test = compileEquality(left, right, unparen(e.right), site);
      return (f) => !test(f);
    }
    case "<":
      if (n !== undefined && slot >= 0) {
        return (f) => {
          const a = f[slot];
          return typeof a === "number" ? a < n : less(left(f), n, site);
        };
      }
      return (f) => less(left(f), right(f), site);
    case "<=":
      return (f) => lessOrEqual(left(f), right(f), site);
    case ">":
      return (f) => greater(left(f), right(f), site);
    default:
      return (f) => greaterOrEqual(left(f), right(f), site);
  }
}

function compileEquality(left: Evaluate, right: Evaluate, rightExpr: Expr, site: Site): Test {
  if (rightExpr.kind === "literal" && typeof rightExpr.value === "string") {
    const text = rightExpr.value;
    return (f) => left(f) === text;
  }
  const n = constantNumber(rightExpr);
  if (n !== undefined) {
    return (f) => {
      const a = left(f);
      return typeof a === "number" ? a === n : equal(a, n, site);
    };
  }
  return (f) => equal(left(f), right(f), site);
}
