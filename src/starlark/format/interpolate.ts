import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { type FloatConversion, formatFloat, StarlarkFloat } from "../values/float.ts";
import { intToFloat, isInt, numberToInt } from "../values/int.ts";
import { StarlarkTuple } from "../values/list.ts";
import { repr, str, typeName } from "../values/repr.ts";
import { ascii, type StarlarkString } from "../values/text.ts";
import { decodeRune, encodeRune, MAX_RUNE } from "../values/unicode.ts";
import { StarlarkObject, type Value } from "../values/value.ts";

const RADIX = new Map([
  ["d", 10],
  ["i", 10],
  ["o", 8],
  ["x", 16],
  ["X", 16],
]);

function convertInt(conversion: string, arg: Value): string {
  let n: number | bigint;
  try {
    n = numberToInt(arg, typeName);
  } catch (error) {
    throw fault(`%${conversion} format requires integer: ${(error as Error).message}`);
  }
  const digits = n.toString(RADIX.get(conversion));
  return conversion === "X" ? digits.toUpperCase() : digits;
}

function convertFloat(conversion: FloatConversion, arg: Value): string {
  if (isInt(arg)) return formatFloat(intToFloat(arg), conversion);
  if (arg instanceof StarlarkFloat) return formatFloat(arg.value, conversion);
  throw fault(`%${conversion} format requires float, not ${typeName(arg)}`);
}

function convertChar(arg: Value): string {
  if (isInt(arg)) {
    if (arg < 0 || arg > MAX_RUNE)
      throw fault(`%c format requires a valid Unicode code point, got ${arg}`);
    return encodeRune(Number(arg));
  }
  if (typeof arg !== "string") {
    throw fault(`%c format requires int or single-character string, not ${typeName(arg)}`);
  }
  if (arg === "" || decodeRune(arg, 0).size !== arg.length) {
    throw fault("%c format requires a single-character string");
  }
  return encodeRune(decodeRune(arg, 0).rune);
}

function convert(conversion: string, arg: Value): string {
  switch (conversion) {
    case "s":
      // Bytes show as a literal here, unlike in str().
      return typeof arg === "string" ? arg : isHostText(arg) ? str(arg) : repr(arg);
    case "r":
      return repr(arg);
    case "d":
    case "i":
    case "o":
    case "x":
    case "X":
      return convertInt(conversion, arg);
    case "e":
    case "f":
    case "g":
    case "E":
    case "F":
    case "G":
      return convertFloat(conversion, arg);
    case "c":
      return convertChar(arg);
    case "%":
      return "%";
    default:
      throw fault(`unknown conversion %${conversion}`);
  }
}

/** Whether a value of the host has a text of its own, apart from its literal. */
function isHostText(value: Value): boolean {
  return value instanceof StarlarkObject && value.typeName !== "bytes";
}

function mappingValue(mapping: Value, key: string): Value {
  if (mapping instanceof StarlarkDict) {
    const value = mapping.get(ascii(key));
    if (value !== undefined) return value;
  } else if (!(mapping instanceof StarlarkObject) || !mapping.getIndex) {
    throw fault("format requires a mapping");
  } else if (mapping.contains?.(ascii(key))) return mapping.getIndex(ascii(key));
  throw fault(`key not found: ${key}`);
}

function isMapping(value: Value): boolean {
  return (
    value instanceof StarlarkDict ||
    (value instanceof StarlarkObject && value.getIndex !== undefined)
  );
}

/** `format % operand`: a tuple gives an argument for each conversion, another value is the only one. */
export function interpolate(format: StarlarkString, operand: Value): StarlarkString {
  const args: readonly Value[] = operand instanceof StarlarkTuple ? operand.elems : [operand];
  let out = "";
  let used = 0;
  let copied = 0;
  for (let at = format.indexOf("%"); at >= 0; at = format.indexOf("%", copied)) {
    out += format.slice(copied, at++);
    if (format[at] === "%") {
      out += "%";
      copied = at + 1;
      continue;
    }
    let arg: Value;
    if (format[at] === "(") {
      const close = format.indexOf(")", at);
      if (close < 0) throw fault("incomplete format key");
      arg = mappingValue(operand, format.slice(at + 1, close));
      at = close + 1;
    } else {
      if (used >= args.length) throw fault("not enough arguments for format string");
      arg = args[used]!;
    }
    const conversion = format[at];
    if (conversion === undefined) throw fault("incomplete format");
    out += convert(conversion, arg);
    used++;
    copied = at + 1;
  }
  if (used < args.length && !isMapping(operand))
    throw fault("too many arguments for format string");
  return ascii(out + format.slice(copied));
}
