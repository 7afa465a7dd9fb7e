import { GoJsonError, toWellFormed } from "./go-json.ts";
import type { Dumpable } from "./yaml-dump.ts";

/**
 * A value as Go's encoder writes it with two spaces of indentation: keys sorted, `<`, `>` and `&` escaped, a newline at
 * the end.
 * @throws GoJsonError for infinities and NaN
 */
export function encodeGoJson(value: Dumpable): string {
  return `${encode(value, "\n")}\n`;
}

function encode(value: Dumpable, newline: string): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return encodeString(value);
  if (typeof value === "number") return encodeNumber(value);
  if (typeof value !== "object") return String(value);
  const inner = `${newline}  `;
  if (Array.isArray(value)) {
    const items = (value as readonly Dumpable[]).map((item) => inner + encode(item, inner));
    return items.length === 0 ? "[]" : `[${items.join(",")}${newline}]`;
  }
  const object = value as { readonly [key: string]: Dumpable };
  const members = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort(compareUtf8)
    .map((key) => `${inner}${encodeString(key)}: ${encode(object[key], inner)}`);
  return members.length === 0 ? "{}" : `{${members.join(",")}${newline}}`;
}

/** Shortest form, as encoding/json has it; it and JavaScript agree on when to use an exponent. */
function encodeNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  const name = Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  throw new GoJsonError(`json: unsupported value: ${name}`);
}

function encodeString(text: string): string {
  return JSON.stringify(toWellFormed(text)).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The order of the UTF-8 bytes, which is that of code points. */
export function compareUtf8(left: string, right: string): number {
  // Only surrogates sort differently as UTF-16.
  if (!/[\ud800-\uffff]/.test(left + right)) return left < right ? -1 : left > right ? 1 : 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
