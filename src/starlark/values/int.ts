import { fault } from "./fault.ts";
import { StarlarkFloat } from "./float.ts";
import { charge } from "./fuel.ts";
import type { Value } from "./value.ts";

/*
 * An int is a number while it is a safe integer (never -0), and a bigint beyond. Every function here
 * returns the normal form.
 */

/** A Starlark int. */
export type StarlarkInt = number | bigint;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The normal form of an integer. A number must be integral; it may be beyond the safe range or -0. */
export function makeInt(n: number | bigint): StarlarkInt {
  if (typeof n === "number") return Number.isSafeInteger(n) ? n + 0 : BigInt(n);
  return n <= MAX_SAFE && n >= -MAX_SAFE ? Number(n) : n;
}

/** Whether the value is an int. */
export function isInt(value: Value | undefined): value is StarlarkInt {
  return typeof value === "number" || typeof value === "bigint";
}

/** Whether a number is in the range of Go's int32, where starlark-go wants an index or a count. */
export function isInt32(n: number): boolean {
  return (n | 0) === n;
}

/** Decimal digits. */
export function formatInt(n: StarlarkInt): string {
  return typeof n === "number" ? `${n}` : n.toString();
}

export function addInts(x: StarlarkInt, y: StarlarkInt): StarlarkInt {
  if (typeof x === "number" && typeof y === "number") {
    const sum = x + y;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return makeInt(BigInt(x) + BigInt(y));
}

export function subtractInts(x: StarlarkInt, y: StarlarkInt): StarlarkInt {
  if (typeof x === "number" && typeof y === "number") {
    const difference = x - y;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return makeInt(BigInt(x) - BigInt(y));
}

export function multiplyInts(x: StarlarkInt, y: StarlarkInt): StarlarkInt {
  if (typeof x === "number" && typeof y === "number") {
    const product = x * y;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  const a = BigInt(x);
  const b = BigInt(y);
  chargeSize(a);
  chargeSize(b);
  return makeInt(a * b);
}

/** Bits of a factor, and the steps that multiplying it costs at least. */
const SIZES: readonly (readonly [bits: bigint, steps: number])[] = [
  [1n << 12n, 8],
  [1n << 16n, 256],
  [1n << 20n, 20_000],
];
/** A product of longer ints takes seconds that nothing can interrupt: only multiplying grows that fast. */
const MAX_FACTOR_BITS = 1n << 23n;

function isLonger(n: bigint, bits: bigint): boolean {
  // A shift to the right takes no longer than the bits that are left.
  return n >> bits !== (n < 0n ? -1n : 0n);
}

function chargeSize(n: bigint): void {
  for (const [bits, steps] of SIZES) {
    if (!isLonger(n, bits)) return;
    charge(steps);
  }
  if (isLonger(n, MAX_FACTOR_BITS)) throw fault("excessive integer size");
}

/** `x // y`, rounded to minus infinity; y is not zero. */
export function divideInts(x: StarlarkInt, y: StarlarkInt): StarlarkInt {
  if (typeof x === "number" && typeof y === "number") {
    const remainder = x % y;
    const quotient = (x - remainder) / y;
    if (Number.isSafeInteger(quotient)) {
      return (remainder !== 0 && remainder < 0 !== y < 0 ? quotient - 1 : quotient) + 0;
    }
  }
  const a = BigInt(x);
  const b = BigInt(y);
  const remainder = a % b;
  const quotient = a / b;
  return makeInt(remainder !== 0n && remainder < 0n !== b < 0n ? quotient - 1n : quotient);
}

/** `x % y`, with the sign of y; y is not zero. */
export function moduloInts(x: StarlarkInt, y: StarlarkInt): StarlarkInt {
  if (typeof x === "number" && typeof y === "number") {
    const remainder = x % y;
    return (remainder !== 0 && remainder < 0 !== y < 0 ? remainder + y : remainder) + 0;
  }
  const b = BigInt(y);
  const remainder = BigInt(x) % b;
  return makeInt(remainder !== 0n && remainder < 0n !== b < 0n ? remainder + b : remainder);
}

/** The float nearest to an int, possibly infinite. */
export function intToFloat(n: StarlarkInt): number {
  return Number(n);
}

/** The float nearest to an int; an int beyond all floats is an error. */
export function finiteFloat(n: StarlarkInt): number {
  const x = Number(n);
  if (!Number.isFinite(x)) throw fault("int too large to convert to float");
  return x;
}

/** The integral part of a finite float. */
export function floatToInt(x: number): StarlarkInt {
  return makeInt(Math.trunc(x));
}

/** Exact order of an int and a float, where NaN is above all: negative, zero or positive. */
export function compareIntFloat(n: StarlarkInt, x: number): number {
  if (Number.isNaN(x)) return -1;
  // A bigint and a number compare by mathematical value; so do two numbers.
  return n < x ? -1 : n > x ? 1 : 0;
}

/** Order of two floats, where NaN equals itself and is above all. */
export function compareFloats(x: number, y: number): number {
  if (x < y) return -1;
  if (x > y) return 1;
  if (x === y) return 0;
  if (!Number.isNaN(x)) return -1;
  return Number.isNaN(y) ? 0 : 1;
}

/** The integral part of a number; a plain Error for NaN, infinities and other types. */
export function numberToInt(value: Value, typeNameOf: (value: Value) => string): StarlarkInt {
  if (isInt(value)) return value;
  if (value instanceof StarlarkFloat) {
    if (Number.isNaN(value.value)) throw fault("cannot convert float NaN to integer");
    if (!Number.isFinite(value.value)) throw fault("cannot convert float infinity to integer");
    return floatToInt(value.value);
  }
  throw fault(`cannot convert ${typeNameOf(value)} to int`);
}

const DIGITS = [/^[01]+$/, /^[0-7]+$/, /^[0-9]+$/, /^[0-9a-f]+$/i];

function parseDigits(digits: string, base: number): StarlarkInt | undefined {
  const native = [2, 8, 10, 16].indexOf(base);
  if (native >= 0) {
    if (!DIGITS[native]!.test(digits)) return undefined;
    if (digits.length <= 12) return Number.parseInt(digits, base);
    return makeInt(BigInt(`${["0b", "0o", "", "0x"][native]}${digits}`));
  }
  let n = 0n;
  for (const digit of digits.toLowerCase()) {
    const value = "0123456789abcdefghijklmnopqrstuvwxyz".indexOf(digit);
    if (value < 0 || value >= base) return undefined;
    n = n * BigInt(base) + BigInt(value);
  }
  return digits === "" ? undefined : makeInt(n);
}

const PREFIX_BASES = new Map([
  ["0b", 2],
  ["0o", 8],
  ["0x", 16],
]);

/** `int(text, base)`: base 0 takes it from the prefix; undefined for text that is no such int. */
export function parseInteger(text: string, base: number): StarlarkInt | undefined {
  const negative = text.startsWith("-");
  let digits = negative || text.startsWith("+") ? text.slice(1) : text;
  const prefixBase =
    digits.length > 2 ? PREFIX_BASES.get(digits.slice(0, 2).toLowerCase()) : undefined;
  let radix = base;
  if (prefixBase !== undefined && (base === 0 || base === prefixBase)) {
    radix = prefixBase;
    digits = digits.slice(2);
  } else if (
    base === 0 &&
    digits.length > 1 &&
    digits.startsWith("0") &&
    prefixBase === undefined
  ) {
    return /^0+$/.test(digits) ? 0 : undefined;
  }
  const n = parseDigits(digits, radix === 0 ? 10 : radix);
  return n === undefined || !negative ? n : subtractInts(0, n);
}
