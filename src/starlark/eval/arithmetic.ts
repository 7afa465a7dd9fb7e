import type { OrderOperator } from "../values/compare.ts";
import { equals, order } from "../values/compare.ts";
import { ascii } from "../values/text.ts";
import type { BinaryOperator, UnaryOperator, Value } from "../values/value.ts";
import { placeAt } from "./call.ts";
import { addInPlace, binary, orInPlace, unary } from "./operators.ts";
import type { Site } from "./vm.ts";

/*
 * The operators as compiled code uses them: the common types at once, all else through `operators.ts`, with
 * the place of an error. They are small, so that V8 inlines them.
 */

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** Strings up to this length are joined without a look at the limits. */
const SHORT = 1 << 20;

/** Any strict operator, for operands that have no shortcut. */
export function slowBinary(op: BinaryOperator, a: Value, b: Value, site: Site): Value {
  try {
    return binary(op, a, b);
  } catch (error) {
    throw placeAt(error, site);
  }
}

export function slowUnary(op: UnaryOperator, a: Value, site: Site): Value {
  try {
    return unary(op, a);
  } catch (error) {
    throw placeAt(error, site);
  }
}

export function plus(a: Value, b: Value, site: Site): Value {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum <= MAX_SAFE && sum >= -MAX_SAFE) return sum;
  } else if (
    typeof a === "string" &&
    typeof b === "string" &&
    a.length < SHORT &&
    b.length < SHORT
  ) {
    return ascii(a + b);
  }
  return slowBinary("+", a, b, site);
}

export function minus(a: Value, b: Value, site: Site): Value {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (difference <= MAX_SAFE && difference >= -MAX_SAFE) return difference;
  }
  return slowBinary("-", a, b, site);
}

export function times(a: Value, b: Value, site: Site): Value {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (product <= MAX_SAFE && product >= -MAX_SAFE) return product + 0;
  }
  return slowBinary("*", a, b, site);
}

export function remainder(a: Value, b: Value, site: Site): Value {
  if (typeof a === "number" && typeof b === "number" && b > 0) {
    const rest = a % b;
    return rest < 0 ? rest + b : rest + 0;
  }
  return slowBinary("%", a, b, site);
}

export function quotient(a: Value, b: Value, site: Site): Value {
  if (typeof a === "number" && typeof b === "number" && b > 0) {
    const rest = a % b;
    return (a - rest) / b + (rest < 0 ? -1 : 0) + 0;
  }
  return slowBinary("//", a, b, site);
}

/** `a += b`. */
export function plusInPlace(a: Value, b: Value, site: Site): Value {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum <= MAX_SAFE && sum >= -MAX_SAFE) return sum;
  } else if (
    typeof a === "string" &&
    typeof b === "string" &&
    a.length < SHORT &&
    b.length < SHORT
  ) {
    return ascii(a + b);
  }
  try {
    return addInPlace(a, b);
  } catch (error) {
    throw placeAt(error, site);
  }
}

/** `a |= b`. */
export function pipeInPlace(a: Value, b: Value, site: Site): Value {
  try {
    return orInPlace(a, b);
  } catch (error) {
    throw placeAt(error, site);
  }
}

export function equal(a: Value, b: Value, site: Site): boolean {
  if (typeof a === "string" || a === null || typeof a === "boolean") return a === b;
  if (typeof a === "number" && typeof b === "number") return a === b;
  try {
    return equals(a, b);
  } catch (error) {
    throw placeAt(error, site);
  }
}

function slowOrder(op: OrderOperator, a: Value, b: Value, site: Site): boolean {
  try {
    return order(op, a, b);
  } catch (error) {
    throw placeAt(error, site);
  }
}

export function less(a: Value, b: Value, site: Site): boolean {
  return typeof a === "number" && typeof b === "number" ? a < b : slowOrder("<", a, b, site);
}

export function lessOrEqual(a: Value, b: Value, site: Site): boolean {
  return typeof a === "number" && typeof b === "number" ? a <= b : slowOrder("<=", a, b, site);
}

export function greater(a: Value, b: Value, site: Site): boolean {
  return typeof a === "number" && typeof b === "number" ? a > b : slowOrder(">", a, b, site);
}

export function greaterOrEqual(a: Value, b: Value, site: Site): boolean {
  return typeof a === "number" && typeof b === "number" ? a >= b : slowOrder(">=", a, b, site);
}
