import { ElementView, StarlarkBytes } from "./bytes.ts";
import { StarlarkDict } from "./dict.ts";
import { fault } from "./fault.ts";
import { isInt, isInt32, type StarlarkInt } from "./int.ts";
import { checkElements, StarlarkList, StarlarkTuple } from "./list.ts";
import { StarlarkRange } from "./range.ts";
import { typeName } from "./repr.ts";
import { ascii } from "./text.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** The elements of an iterable value (of a dict, its keys) as a fresh array; undefined for other values. */
export function elementsOf(value: Value): Value[] | undefined {
  if (value instanceof StarlarkList || value instanceof StarlarkTuple) return value.elems.slice();
  if (!(value instanceof StarlarkObject) || !value.iterate) return undefined;
  checkElements(lengthOf(value));
  return [...value.iterate()];
}

/** The length of a value, or -1 when it has none. */
export function lengthOf(value: Value): number {
  if (typeof value === "string") return value.length;
  if (!(value instanceof StarlarkObject) || !value.length) return -1;
  return value.length();
}

/** An int that starlark-go holds in 32 bits, as it wants indices and counts to be. */
export function toInt32(value: Value): number {
  if (!isInt(value)) throw fault(`got ${typeName(value)}, want int`);
  if (typeof value === "bigint" || !isInt32(value)) throw fault(`${value} out of range`);
  return value;
}

function outOfRange(index: number, length: number, type: string): Error {
  if (length === 0) return fault(`index ${index} out of range: empty ${type}`);
  return fault(`${type} index ${index} out of range [${-length}:${length - 1}]`);
}

/** Throws when an index, counted from the end if negative, is outside; else its place. */
export function placeOf(index: number, length: number, type: string): number {
  const place = index < 0 ? index + length : index;
  if (place < 0 || place >= length) throw outOfRange(index, length, type);
  return place;
}

type Indexed = { length: number; at: (index: number) => Value };

function indexedOf(value: Value): Indexed | undefined {
  if (typeof value === "string") return { length: value.length, at: (i) => ascii(value[i]!) };
  if (value instanceof StarlarkList || value instanceof StarlarkTuple) {
    const { elems } = value;
    return { length: elems.length, at: (i) => elems[i]! };
  }
  if (value instanceof StarlarkBytes) {
    return { length: value.bytes.length, at: (i) => new StarlarkBytes(value.bytes[i]!) };
  }
  if (value instanceof StarlarkRange) return { length: value.size, at: (i) => value.at(i) };
  if (value instanceof ElementView) return { length: value.text.length, at: (i) => value.at(i) };
  return undefined;
}

/** `x[index]`. */
export function getIndex(value: Value, index: Value): Value {
  if (value instanceof StarlarkDict) return value.getIndex(index);
  const indexed = indexedOf(value);
  if (indexed !== undefined) {
    const type = typeName(value);
    if (!isInt(index)) throw fault(`${type} index: got ${typeName(index)}, want int`);
    if (typeof index === "bigint" || !isInt32(index))
      throw fault(`${type} index: ${index} out of range`);
    if (isWide(value)) return value.at(wideBound(index, value.count));
    return indexed.at(placeOf(index, indexed.length, type));
  }
  if (value instanceof StarlarkObject && value.getIndex) return value.getIndex(index);
  throw fault(`unhandled index operation ${typeName(value)}[${typeName(index)}]`);
}

/** `x[index] = element`. */
export function setIndex(value: Value, index: Value, element: Value): void {
  if (value instanceof StarlarkList) {
    const place = placeOf(toInt32(index), value.elems.length, "list");
    value.checkMutable("assign to element of");
    value.elems[place] = element;
  } else if (value instanceof StarlarkObject && value.setIndex) value.setIndex(index, element);
  else throw fault(`${typeName(value)} value does not support item assignment`);
}

function bound(value: Value, length: number, which: "start" | "end"): number {
  try {
    const n = toInt32(value);
    return n < 0 ? n + length : n;
  } catch (error) {
    throw fault(`invalid ${which} index: ${(error as Error).message}`);
  }
}

function clamp(n: number, low: number, high: number): number {
  return Math.min(Math.max(n, low), high);
}

/** The range that two optional indices select from a length, clamped; the end may be before the start. */
export function indices(
  start: Value | undefined,
  end: Value | undefined,
  length: number,
): [number, number] {
  const from =
    start === undefined || start === null ? 0 : clamp(bound(start, length, "start"), 0, length);
  const to =
    end === undefined || end === null ? length : clamp(bound(end, length, "end"), 0, length);
  return [from, to];
}

function sliceBounds(lo: Value, hi: Value, step: number, length: number): [number, number] {
  if (step > 0) {
    const [start, end] = indices(lo, hi, length);
    return [start, Math.max(start, end)];
  }
  const start = lo === null ? length - 1 : Math.min(bound(lo, length, "start"), length - 1);
  const end = hi === null ? -1 : Math.max(bound(hi, length, "end"), -1);
  return [Math.max(start, end), end];
}

function sliceArray(elems: readonly Value[], start: number, end: number, step: number): Value[] {
  if (step === 1) return elems.slice(start, end);
  const out: Value[] = [];
  for (let i = start; step > 0 ? i < end : i > end; i += step) out.push(elems[i]!);
  return out;
}

function sliceText(text: string, start: number, end: number, step: number): string {
  if (step === 1) return text.slice(start, end);
  let out = "";
  for (let i = start; step > 0 ? i < end : i > end; i += step) out += text[i];
  return out;
}

/** A range of so many terms that only a bigint can count them: every int of 32 bits is an index of it. */
type WideRange = StarlarkRange & { readonly count: bigint };

function isWide(value: Value): value is WideRange {
  return value instanceof StarlarkRange && typeof value.count === "bigint";
}

function wideBound(index: number, count: bigint): StarlarkInt {
  return index < 0 ? count + BigInt(index) : index;
}

function sliceWide(range: WideRange, lo: Value, hi: Value, step: number): StarlarkRange {
  const { count } = range;
  const [first, last] = step > 0 ? [0, count] : [count - 1n, -1];
  const start = lo === null ? first : wideBound(bound(lo, 0, "start"), count);
  const end = hi === null ? last : wideBound(bound(hi, 0, "end"), count);
  return range.slice(start, (step > 0 ? end < start : end > start) ? start : end, step);
}

/** `x[lo:hi:step]`, where None stands for an absent part. */
export function slice(value: Value, lo: Value, hi: Value, stepValue: Value): Value {
  const length = value instanceof ElementView ? -1 : lengthOf(value);
  if (length < 0 || !isSliceable(value)) throw fault(`invalid slice operand ${typeName(value)}`);
  const step = stepValue === null ? 1 : sliceStep(stepValue);
  if (isWide(value)) return sliceWide(value, lo, hi, step);
  const [start, end] = sliceBounds(lo, hi, step, length);
  if (typeof value === "string") return ascii(sliceText(value, start, end, step));
  if (value instanceof StarlarkBytes)
    return new StarlarkBytes(sliceText(value.bytes, start, end, step));
  if (value instanceof StarlarkList)
    return new StarlarkList(sliceArray(value.elems, start, end, step));
  if (value instanceof StarlarkTuple)
    return new StarlarkTuple(sliceArray(value.elems, start, end, step));
  return value.slice(start, end, step);
}

type Sliceable =
  | Extract<Value, string>
  | StarlarkBytes
  | StarlarkList
  | StarlarkTuple
  | StarlarkRange;

function isSliceable(value: Value): value is Sliceable {
  return (
    typeof value === "string" ||
    value instanceof StarlarkBytes ||
    value instanceof StarlarkList ||
    value instanceof StarlarkTuple ||
    value instanceof StarlarkRange
  );
}

function sliceStep(value: Value): number {
  let step: number;
  try {
    step = toInt32(value);
  } catch (error) {
    throw fault(`invalid slice step: ${(error as Error).message}`);
  }
  if (step === 0) throw fault("zero is not a valid slice step");
  return step;
}
