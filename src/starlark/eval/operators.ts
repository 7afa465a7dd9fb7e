import { interpolate } from "../format/interpolate.ts";
import { lengthOf, toInt32 } from "../values/access.ts";
import { bytesContain, StarlarkBytes } from "../values/bytes.ts";
import { equals } from "../values/compare.ts";
import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { charge } from "../values/fuel.ts";
import {
  addInts,
  divideInts,
  finiteFloat,
  isInt,
  makeInt,
  moduloInts,
  multiplyInts,
  numberToInt,
  type StarlarkInt,
  subtractInts,
} from "../values/int.ts";
import { checkElements, MAX_ELEMENTS, StarlarkList, StarlarkTuple } from "../values/list.ts";
import { StarlarkRange } from "../values/range.ts";
import { MAX_TEXT, truth, typeName } from "../values/repr.ts";
import { ascii } from "../values/text.ts";
import {
  type BinaryOperator,
  StarlarkObject,
  type UnaryOperator,
  type Value,
} from "../values/value.ts";
import { isIterable } from "./unpack.ts";

/** Repetitions beyond this many elements are refused, as in starlark-go. */
const MAX_REPEAT = 2 ** 30;
const MAX_SHIFT = 512;

type Numeric = StarlarkInt | StarlarkFloat;

function isNumeric(value: Value): value is Numeric {
  return isInt(value) || value instanceof StarlarkFloat;
}

function toFloat(value: Numeric): number {
  return value instanceof StarlarkFloat ? value.value : finiteFloat(value);
}

function float(x: number): StarlarkFloat {
  return new StarlarkFloat(x);
}

/** An arithmetic operator on two numbers: exact on ints, else on floats. */
function arithmetic(
  x: Value,
  y: Value,
  onInts: (x: StarlarkInt, y: StarlarkInt) => Value,
  onFloats: (x: number, y: number) => number,
): Value | undefined {
  if (!isNumeric(x) || !isNumeric(y)) return undefined;
  if (isInt(x) && isInt(y)) return onInts(x, y);
  return float(onFloats(toFloat(x), toFloat(y)));
}

function nonZero(y: number, message: string): number {
  if (y === 0) throw fault(message);
  return y;
}

function floatModulo(x: number, y: number): number {
  const z = x % nonZero(y, "floating-point modulo by zero");
  return x < 0 !== y < 0 && z !== 0 ? z + y : z;
}

function concatText(x: string, y: string): string {
  if (x.length + y.length > MAX_TEXT) throw fault("excessive text length");
  if (y.length > 1000) charge(y.length >> 6);
  return x + y;
}

/** `x + y` for operands other than two small ints or two short strings. */
export function add(x: Value, y: Value): Value {
  const sum = arithmetic(x, y, addInts, (a, b) => a + b);
  if (sum !== undefined) return sum;
  if (typeof x === "string" && typeof y === "string") return ascii(concatText(x, y));
  if (x instanceof StarlarkList && y instanceof StarlarkList)
    return new StarlarkList(concat(x.elems, y.elems));
  if (x instanceof StarlarkTuple && y instanceof StarlarkTuple)
    return new StarlarkTuple(concat(x.elems, y.elems));
  if (x instanceof StarlarkBytes && y instanceof StarlarkBytes) {
    return new StarlarkBytes(concatText(x.bytes, y.bytes));
  }
  return custom("+", x, y);
}

function concat(x: readonly Value[], y: readonly Value[]): Value[] {
  charge((x.length + y.length) >> 3);
  return x.concat(y);
}

/** `x - y`. */
export function subtract(x: Value, y: Value): Value {
  const difference = arithmetic(x, y, subtractInts, (a, b) => a - b);
  if (difference !== undefined) return difference;
  if (x instanceof StarlarkSet && y instanceof StarlarkSet) return setDifference(x, y.elems());
  return custom("-", x, y);
}

function setDifference(set: StarlarkSet, others: readonly Value[]): StarlarkSet {
  const result = set.copy();
  for (const other of others) result.delete(other);
  return result;
}

/** `x * y`: a product, or a repetition with the count on either side. */
export function multiply(x: Value, y: Value): Value {
  const product = arithmetic(x, y, multiplyInts, (a, b) => a * b);
  if (product !== undefined) return product;
  if (isInt(x)) return repeat(y, x) ?? custom("*", x, y);
  if (isInt(y)) return repeat(x, y) ?? custom("*", x, y);
  return custom("*", x, y);
}

function repeat(value: Value, count: StarlarkInt): Value | undefined {
  if (typeof value === "string") return ascii(repeatText(value, count));
  if (value instanceof StarlarkBytes) return new StarlarkBytes(repeatText(value.bytes, count));
  if (value instanceof StarlarkList) return new StarlarkList(repeatElements(value.elems, count));
  if (value instanceof StarlarkTuple) return new StarlarkTuple(repeatElements(value.elems, count));
  return undefined;
}

function repeatCount(length: number, count: StarlarkInt, limit: number): number {
  if (length === 0) return 0;
  if (typeof count === "bigint" || (count | 0) !== count)
    throw fault(`repeat count ${count} too large`);
  if (count < 1) return 0;
  if (length * count >= limit) throw fault(`excessive repeat (${length} * ${count} elements)`);
  charge((length * count) >> 6);
  return count;
}

function repeatText(text: string, count: StarlarkInt): string {
  return text.repeat(repeatCount(text.length, count, Math.min(MAX_REPEAT, MAX_TEXT)));
}

function repeatElements(elems: readonly Value[], count: StarlarkInt): Value[] {
  // A JavaScript array cannot have as many elements as Go's slice.
  const n = repeatCount(elems.length, count, MAX_ELEMENTS);
  if (elems.length === 1 && n > 0) return new Array<Value>(n).fill(elems[0]!);
  const out: Value[] = [];
  for (let i = 0; i < n; i++) for (const elem of elems) out.push(elem);
  return out;
}

/** `x / y`: always a float. */
export function divide(x: Value, y: Value): Value {
  if (!isNumeric(x) || !isNumeric(y)) return custom("/", x, y);
  const dividend = toFloat(x);
  return float(dividend / nonZero(toFloat(y), "floating-point division by zero"));
}

/** `x // y`: rounded to minus infinity. */
export function floorDivide(x: Value, y: Value): Value {
  const message = "floored division by zero";
  const quotient = arithmetic(
    x,
    y,
    (a, b) => (b === 0 ? nonZero(0, message) : divideInts(a, b)),
    (a, b) => Math.floor(a / nonZero(b, message)),
  );
  return quotient ?? custom("//", x, y);
}

/** `x % y`: a remainder with the sign of y, or text with y in the places of its conversions. */
export function modulo(x: Value, y: Value): Value {
  if (typeof x === "string") return interpolate(x, y);
  const remainder = arithmetic(
    x,
    y,
    (a, b) => (b === 0 ? nonZero(0, "integer modulo by zero") : moduloInts(a, b)),
    floatModulo,
  );
  return remainder ?? custom("%", x, y);
}

function bitwise(
  op: BinaryOperator,
  x: Value,
  y: Value,
  onSmall: (x: number, y: number) => number,
  onBig: (x: bigint, y: bigint) => bigint,
): Value {
  if (!isInt(x) || !isInt(y)) return custom(op, x, y);
  if (typeof x === "number" && typeof y === "number" && (x | 0) === x && (y | 0) === y)
    return onSmall(x, y);
  return makeInt(onBig(BigInt(x), BigInt(y)));
}

/** `x | y`. */
export function or(x: Value, y: Value): Value {
  if (x instanceof StarlarkDict && y instanceof StarlarkDict) {
    const union = x.copy();
    union.addAll(y);
    return union;
  }
  if (x instanceof StarlarkSet && y instanceof StarlarkSet) {
    const union = x.copy();
    for (const elem of y.elems()) union.insert(elem);
    return union;
  }
  return bitwise(
    "|",
    x,
    y,
    (a, b) => a | b,
    (a, b) => a | b,
  );
}

/** `x & y`. */
export function and(x: Value, y: Value): Value {
  if (x instanceof StarlarkSet && y instanceof StarlarkSet) {
    return StarlarkSet.from(y.elems().filter((elem) => x.has(elem)));
  }
  return bitwise(
    "&",
    x,
    y,
    (a, b) => a & b,
    (a, b) => a & b,
  );
}

/** `x ^ y`. */
export function xor(x: Value, y: Value): Value {
  if (x instanceof StarlarkSet && y instanceof StarlarkSet)
    return symmetricDifference(x, y.elems());
  return bitwise(
    "^",
    x,
    y,
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  );
}

/** The elements of a set and of others that are not in both; an element given twice is back again. */
export function symmetricDifference(set: StarlarkSet, others: readonly Value[]): StarlarkSet {
  const result = set.copy();
  for (const other of others) if (result.delete(other) === undefined) result.insert(other);
  return result;
}

/** `x << y` or `x >> y`. */
function shift(op: "<<" | ">>", x: Value, y: Value): Value {
  if (!isInt(x)) return custom(op, x, y);
  const count = toInt32(y);
  if (count < 0) throw fault(`negative shift count: ${count}`);
  if (op === ">>") return makeInt(BigInt(x) >> BigInt(count));
  if (count >= MAX_SHIFT) throw fault(`shift count too large: ${count}`);
  return makeInt(BigInt(x) << BigInt(count));
}

/** `x in y`. */
export function contains(container: Value, elem: Value): boolean {
  if (typeof container === "string") {
    if (typeof elem === "string") return container.includes(elem);
    throw fault(`'in <string>' requires string as left operand, not ${typeName(elem)}`);
  }
  if (container instanceof StarlarkList || container instanceof StarlarkTuple) {
    charge(container.elems.length >> 4);
    return container.elems.some((other) => equals(other, elem));
  }
  if (container instanceof StarlarkDict) return hasKey(container, elem);
  if (container instanceof StarlarkSet) return container.has(elem);
  if (container instanceof StarlarkBytes) return bytesContain(container, elem, typeName);
  if (container instanceof StarlarkRange) return rangeContains(container, elem);
  if (container instanceof StarlarkObject && container.contains) return container.contains(elem);
  return truth(custom("in", elem, container));
}

/** A key that cannot be hashed is not in a dict. */
function hasKey(dict: StarlarkDict, key: Value): boolean {
  try {
    return dict.has(key);
  } catch {
    return false;
  }
}

function rangeContains(range: StarlarkRange, elem: Value): boolean {
  if (!isNumeric(elem)) {
    throw fault(`'in <range>' requires integer as left operand, not ${typeName(elem)}`);
  }
  if (elem instanceof StarlarkFloat && !Number.isFinite(elem.value)) {
    throw fault("'in <range>' requires integer as left operand, not float");
  }
  return range.has(numberToInt(elem, typeName));
}

/** What the operands themselves make of the operator; an error when they make nothing. */
function custom(op: BinaryOperator, x: Value, y: Value): Value {
  const left = x instanceof StarlarkObject ? x.binary?.(op, y, "left") : undefined;
  const result = left ?? (y instanceof StarlarkObject ? y.binary?.(op, x, "right") : undefined);
  if (result === undefined) throw fault(`unknown binary op: ${typeName(x)} ${op} ${typeName(y)}`);
  return result;
}

/** `x op y` for any operator that is strict and not a comparison. */
export function binary(op: BinaryOperator, x: Value, y: Value): Value {
  switch (op) {
    case "+":
      return add(x, y);
    case "-":
      return subtract(x, y);
    case "*":
      return multiply(x, y);
    case "/":
      return divide(x, y);
    case "//":
      return floorDivide(x, y);
    case "%":
      return modulo(x, y);
    case "|":
      return or(x, y);
    case "&":
      return and(x, y);
    case "^":
      return xor(x, y);
    case "<<":
    case ">>":
      return shift(op, x, y);
    case "in":
      return contains(y, x);
    case "not in":
      return !contains(y, x);
  }
}

/** `op x`. */
export function unary(op: UnaryOperator, x: Value): Value {
  if (isInt(x)) {
    if (op === "+") return x;
    return op === "-" ? subtractInts(0, x) : subtractInts(subtractInts(0, x), 1);
  }
  if (x instanceof StarlarkFloat && op !== "~") return op === "+" ? x : float(-x.value);
  const result = x instanceof StarlarkObject ? x.unary?.(op) : undefined;
  if (result === undefined) throw fault(`unknown unary op: ${op} ${typeName(x)}`);
  return result;
}

/** `x += y`: a list is extended in place, a dict is not touched here. */
export function addInPlace(x: Value, y: Value): Value {
  if (x instanceof StarlarkList && isIterable(y)) {
    x.checkMutable("apply += to");
    extendList(x, y);
    return x;
  }
  return add(x, y);
}

/** Appends all elements of an iterable to a list that may change. */
export function extendList(list: StarlarkList, iterable: StarlarkObject): void {
  checkElements(lengthOf(list) + lengthOf(iterable));
  const elems = iterable instanceof StarlarkList ? iterable.elems : [...iterable.iterate!()];
  charge(elems.length >> 3);
  const { elems: target } = list;
  for (let i = 0, n = elems.length; i < n; i++) target.push(elems[i]!);
}

/** `x |= y`: a dict is updated in place. */
export function orInPlace(x: Value, y: Value): Value {
  if (x instanceof StarlarkDict && y instanceof StarlarkDict) {
    x.checkMutable("apply |= to");
    x.addAll(y);
    return x;
  }
  return or(x, y);
}
