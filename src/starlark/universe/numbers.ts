import { types, unpack } from "../eval/unpack.ts";
import { toInt32 } from "../values/access.ts";
import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { finiteFloat, isInt, numberToInt, parseInteger, subtractInts } from "../values/int.ts";
import { typeName } from "../values/repr.ts";
import type { Kwargs, Value } from "../values/value.ts";

/* The builtins that make numbers. */

/** `abs(x)`. */
export function abs(x: Value): Value {
  if (x instanceof StarlarkFloat) return new StarlarkFloat(Math.abs(x.value));
  if (!isInt(x)) throw fault(`got ${typeName(x)}, want int or float`);
  return x < 0 ? subtractInts(0, x) : x;
}

const FLOAT_WORDS = new Map([
  ["infinity", Number.POSITIVE_INFINITY],
  ["inf", Number.POSITIVE_INFINITY],
  ["nan", Number.NaN],
]);

function parseFloatText(text: string): number {
  if (text === "") throw fault("float: empty string");
  const word = FLOAT_WORDS.get(text.replace(/^[+-]/, "").toLowerCase());
  if (word !== undefined) return text.startsWith("-") ? -word : word;
  const x = parseGoFloat(text);
  if (x === undefined) throw fault(`invalid float literal: ${text}`);
  if (!Number.isFinite(x)) throw fault("floating-point number too large");
  return x;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/;

/** An underscore that Go refuses: not after a digit or the prefix `0x`, or not before a digit. */
const DECIMAL_STRAY = /(?<!\d)_|_(?!\d)/;
const HEXADECIMAL_STRAY = /(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])/;

/** What Go's ParseFloat reads: decimal, and hexadecimal with a binary exponent, underscores between digits. */
function parseGoFloat(written: string): number | undefined {
  const stray = /^[+-]?0[xX]/.test(written) ? HEXADECIMAL_STRAY : DECIMAL_STRAY;
  if (stray.test(written)) return undefined;
  const text = written.replaceAll("_", "");
  if (DECIMAL.test(text)) return Number(text);
  const parts = HEXADECIMAL.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole, fraction, exponent] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  if (whole + fraction === "") return undefined;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`));
  const x = mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === "-" ? -x : x;
}

/** `float(x)`. */
export function float(args: readonly Value[], kwargs: Kwargs): Value {
  if (kwargs.length > 0) throw fault("float does not accept keyword arguments");
  if (args.length > 1) throw fault(`float got ${args.length} arguments, wants 1`);
  const x = args[0];
  if (x === undefined) return new StarlarkFloat(0);
  if (x instanceof StarlarkFloat) return x;
  if (typeof x === "boolean") return new StarlarkFloat(x ? 1 : 0);
  if (isInt(x)) return new StarlarkFloat(finiteFloat(x));
  if (typeof x === "string") return new StarlarkFloat(parseFloatText(x));
  throw fault(`float got ${typeName(x)}, want number or string`);
}

function intBase(base: Value): number {
  let n: number;
  try {
    n = toInt32(base);
  } catch {
    throw fault(`int: for base, got ${typeName(base)}, want int (base must be an integer)`);
  }
  if (n !== 0 && (n < 2 || n > 36)) throw fault("int: base must be an integer >= 2 && <= 36");
  return n;
}

const INT_PARAMS = { x: types.value, "base?": types.value } as const;

/** `int(x, base)`. */
export function int(args: readonly Value[], kwargs: Kwargs): Value {
  const { x, base } = unpack("int", args, kwargs, INT_PARAMS);
  if (typeof x === "string") {
    const radix = base === undefined ? 10 : intBase(base);
    const n = parseInteger(x, radix);
    if (n === undefined) throw fault(`int: invalid literal with base ${radix}: ${x}`);
    return n;
  }
  if (base !== undefined) throw fault("int: can't convert non-string with explicit base");
  if (typeof x === "boolean") return x ? 1 : 0;
  try {
    return numberToInt(x, typeName);
  } catch (error) {
    throw fault(`int: ${(error as Error).message}`);
  }
}
