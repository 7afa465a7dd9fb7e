import { StarlarkBytes } from "./bytes.ts";
import { fault } from "./fault.ts";
import { StarlarkFloat } from "./float.ts";
import { charge } from "./fuel.ts";
import { compareFloats, compareIntFloat, isInt, type StarlarkInt } from "./int.ts";
import { StarlarkList, StarlarkTuple } from "./list.ts";
import { typeName } from "./repr.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** The ordering operators. */
export type OrderOperator = "<" | "<=" | ">" | ">=";

/** How deep a comparison may go. starlark-go stops at 10, which honest data exceeds. */
const MAX_DEPTH = 200;

function tooDeep(): Error {
  return fault("comparison exceeded maximum recursion depth");
}

function equalElements(a: readonly Value[], b: readonly Value[], depth: number): boolean {
  if (a.length !== b.length) return false;
  charge((a.length >> 4) + 1);
  for (let i = 0; i < a.length; i++) if (!equalWithin(a[i]!, b[i]!, depth - 1)) return false;
  return true;
}

/** Equality of values that are not the same primitive. */
function equalWithin(a: Value, b: Value, depth: number): boolean {
  if (depth < 1) throw tooDeep();
  if (!(a instanceof StarlarkObject)) {
    if (a === b) return true;
    return isInt(a) && b instanceof StarlarkFloat && compareIntFloat(a, b.value) === 0;
  }
  if (a instanceof StarlarkFloat) {
    if (b instanceof StarlarkFloat) return compareFloats(a.value, b.value) === 0;
    return isInt(b) && compareIntFloat(b, a.value) === 0;
  }
  if (!(b instanceof StarlarkObject)) return false;
  if (a instanceof StarlarkList)
    return b instanceof StarlarkList && equalElements(a.elems, b.elems, depth);
  if (a instanceof StarlarkTuple)
    return b instanceof StarlarkTuple && equalElements(a.elems, b.elems, depth);
  if (a instanceof StarlarkBytes) return b instanceof StarlarkBytes && a.bytes === b.bytes;
  charge(1);
  return a.typeName === b.typeName && a.equals(b, (x, y) => equalWithin(x, y, depth - 1));
}

/** `a == b`. Throws when the values are nested too deep, or hold themselves. */
export function equals(a: Value, b: Value): boolean {
  if (typeof a === "string" || typeof a === "boolean" || a === null) return a === b;
  return equalWithin(a, b, MAX_DEPTH);
}

function threeWay(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function holds(op: OrderOperator, order: number): boolean {
  switch (op) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function notOrdered(op: OrderOperator, a: Value, b: Value): Error {
  return fault(`${typeName(a)} ${op} ${typeName(b)} not implemented`);
}

function numericOrder(a: Value, b: Value): number | undefined {
  const x: StarlarkInt | StarlarkFloat | undefined =
    isInt(a) || a instanceof StarlarkFloat ? a : undefined;
  const y: StarlarkInt | StarlarkFloat | undefined =
    isInt(b) || b instanceof StarlarkFloat ? b : undefined;
  if (x === undefined || y === undefined) return undefined;
  if (x instanceof StarlarkFloat) {
    return y instanceof StarlarkFloat
      ? compareFloats(x.value, y.value)
      : -compareIntFloat(y, x.value);
  }
  if (y instanceof StarlarkFloat) return compareIntFloat(x, y.value);
  return x < y ? -1 : x > y ? 1 : 0;
}

function orderElements(
  op: OrderOperator,
  a: readonly Value[],
  b: readonly Value[],
  depth: number,
): boolean {
  const n = Math.min(a.length, b.length);
  charge((n >> 4) + 1);
  for (let i = 0; i < n; i++) {
    if (!equalWithin(a[i]!, b[i]!, depth - 1)) return orderWithin(op, a[i]!, b[i]!, depth - 1);
  }
  return holds(op, a.length - b.length);
}

function orderWithin(op: OrderOperator, a: Value, b: Value, depth: number): boolean {
  if (depth < 1) throw tooDeep();
  if (typeof a === "string" && typeof b === "string") return holds(op, threeWay(a, b));
  const order = numericOrder(a, b);
  if (order !== undefined) return holds(op, order);
  if (typeof a === "boolean" && typeof b === "boolean") return holds(op, Number(a) - Number(b));
  if (a instanceof StarlarkList && b instanceof StarlarkList)
    return orderElements(op, a.elems, b.elems, depth);
  if (a instanceof StarlarkTuple && b instanceof StarlarkTuple)
    return orderElements(op, a.elems, b.elems, depth);
  if (a instanceof StarlarkBytes && b instanceof StarlarkBytes)
    return holds(op, threeWay(a.bytes, b.bytes));
  if (a instanceof StarlarkObject && b instanceof StarlarkObject && a.typeName === b.typeName) {
    if (a.ordered) return a.ordered(op, b);
    if (a.compare) return holds(op, a.compare(b));
  }
  throw notOrdered(op, a, b);
}

/** `a op b` for an ordering operator. Throws `X < Y not implemented` for types without an order. */
export function order(op: OrderOperator, a: Value, b: Value): boolean {
  return orderWithin(op, a, b, MAX_DEPTH);
}

/** The order of two values as a number, as sorting wants it. Throws for values without an order. */
export function compareValues(a: Value, b: Value): number {
  if (equals(a, b)) return 0;
  return order("<", a, b) ? -1 : 1;
}
