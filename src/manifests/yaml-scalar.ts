/**
 * How goyaml v2, the YAML library under sigs.k8s.io/yaml and so under Tilt and kubectl, reads a plain scalar:
 * YAML 1.1 booleans and octals, no base 60, dates kept as text.
 */

/** What a plain scalar can become. `bigint` stands for integers that a double cannot hold. */
export type YamlScalar = null | boolean | number | bigint | string;

const WORDS: ReadonlyMap<string, YamlScalar> = new Map<string, YamlScalar>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, true] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, false] as const,
  ),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, Number.NaN] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (word) => [word, Number.POSITIVE_INFINITY] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);
const LONGEST_WORD = 5;

const DECIMAL = /^[-+]?(?:0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Go's ParseFloat takes `_` between digits. */
const DOT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const RADIX = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** The value of an unquoted, untagged scalar (goyaml v2 `resolve`). */
export function resolvePlainScalar(text: string): YamlScalar {
  const first = text.charCodeAt(0);
  // Most scalars are words that start with a letter that none of the special ones starts with.
  if (!mayBeSpecial(first)) return text;
  if (text.length <= LONGEST_WORD) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  if (first === 0x2e) {
    return DOT_FLOAT.test(text) ? finiteOr(Number(text.replaceAll("_", "")), text) : text;
  }
  if ((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d) {
    return resolveNumber(text);
  }
  return text;
}

const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[+-](\d\d):(\d\d))| (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?))?$/;

/** Whether goyaml takes a text for a timestamp: it stays text when read, but is quoted when written. */
export function isTimestamp(text: string): boolean {
  const match = TIMESTAMP.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  const [hour, minute, second] = (match[4] === undefined ? match.slice(9) : match.slice(4, 7)).map(
    (part) => Number(part ?? 0),
  ) as [number, number, number];
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= lastDay;
  return isDate && hour < 24 && minute < 60 && second < 60;
}

function mayBeSpecial(first: number): boolean {
  if (Number.isNaN(first)) return true;
  if (first >= 0x30 && first <= 0x39) return true;
  switch (first) {
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x7e: // ~
    case 0x46: // F
    case 0x4e: // N
    case 0x4f: // O
    case 0x54: // T
    case 0x59: // Y
    case 0x66:
    case 0x6e:
    case 0x6f:
    case 0x74:
    case 0x79:
      return true;
    default:
      return false;
  }
}

function resolveNumber(text: string): YamlScalar {
  const plain = text.includes("_") ? text.replaceAll("_", "") : text;
  if (DECIMAL.test(plain)) {
    if (plain.length <= 15) return Number(plain) + 0; // + 0: no negative zero
    return integerOf(BigInt(plain.replace(/^\+/, "")), plain, text);
  }
  const radix = RADIX.exec(plain);
  if (radix !== null) {
    const [, sign, hex, binary, octal] = radix;
    const magnitude =
      hex !== undefined
        ? BigInt(`0x${hex}`)
        : binary !== undefined
          ? BigInt(`0b${binary}`)
          : BigInt(`0o${octal}`);
    return integerOf(sign === "-" ? -magnitude : magnitude, plain, text);
  }
  return FLOAT.test(plain) ? finiteOr(Number(plain), text) : text;
}

/** An integer if it fits int64 or uint64, else a float, as far as the text is a decimal one. */
function integerOf(value: bigint, plain: string, text: string): YamlScalar {
  const signed = plain.startsWith("+") || plain.startsWith("-");
  const fits = value >= MIN_INT64 && value <= (signed ? 2n ** 63n - 1n : MAX_UINT64);
  if (!fits) return FLOAT.test(plain) ? finiteOr(Number(plain), text) : text;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Go's ParseFloat fails out of range, and then goyaml takes the scalar for a string. */
function finiteOr(value: number, text: string): YamlScalar {
  return Number.isFinite(value) ? value : text;
}
