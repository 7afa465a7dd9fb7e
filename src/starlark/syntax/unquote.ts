import { encodeRune, MAX_RUNE } from "../values/unicode.ts";

const SIMPLE = new Map([
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\u000b"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["\n", ""],
]);

/** What an escape sequence stands for, and its length. */
interface Escape {
  readonly text: string;
  readonly size: number;
}

function upperHex(n: number): string {
  return n.toString(16).toUpperCase().padStart(4, "0");
}

function advice(n: number): string {
  return `(use \\u${upperHex(n)} for the UTF-8 encoding of U+${upperHex(n)})`;
}

function octalEscape(body: string, at: number, binary: boolean): Escape {
  const digits = /^[0-7]{1,3}/.exec(body.slice(at + 1, at + 4))![0];
  const n = Number.parseInt(digits, 8);
  if (!binary && n > 127) throw new Error(`non-ASCII octal escape \\${n.toString(8)} ${advice(n)}`);
  if (n > 255) throw new Error(`invalid escape sequence \\${n.toString(8).padStart(3, "0")}`);
  return { text: String.fromCharCode(n), size: 1 + digits.length };
}

function hexDigits(body: string, at: number, size: number): number {
  if (body.length - at < size) throw new Error(`truncated escape sequence ${body.slice(at)}`);
  const digits = body.slice(at + 2, at + size);
  if (!/^[0-9a-fA-F]+$/.test(digits))
    throw new Error(`invalid escape sequence ${body.slice(at, at + size)}`);
  return Number.parseInt(digits, 16);
}

function hexEscape(body: string, at: number, binary: boolean): Escape {
  const n = hexDigits(body, at, 4);
  if (!binary && n > 127)
    throw new Error(`non-ASCII hex escape ${body.slice(at, at + 4)} ${advice(n)}`);
  return { text: String.fromCharCode(n), size: 4 };
}

function unicodeEscape(body: string, at: number): Escape {
  const size = body[at + 1] === "u" ? 6 : 10;
  const n = hexDigits(body, at, size);
  if (n > MAX_RUNE) {
    throw new Error(
      `code point out of range: ${body.slice(at, at + size)} (max \\U${MAX_RUNE.toString(16).padStart(8, "0")})`,
    );
  }
  if (n >= 0xd800 && n < 0xe000) throw new Error(`invalid Unicode code point U+${upperHex(n)}`);
  return { text: encodeRune(n), size };
}

function readEscape(body: string, at: number, binary: boolean): Escape {
  const next = body[at + 1];
  if (next === undefined) throw new Error("truncated escape sequence \\");
  const simple = SIMPLE.get(next);
  if (simple !== undefined) return { text: simple, size: 2 };
  if (next >= "0" && next <= "7") return octalEscape(body, at, binary);
  if (next === "x") return hexEscape(body, at, binary);
  if (next === "u" || next === "U") return unicodeEscape(body, at);
  throw new Error(`invalid escape sequence \\${next}`);
}

/**
 * The text of a literal, given what stands between its quotes: line ends become LF, escapes what they stand for.
 * Throws a plain Error for an escape that is none.
 */
export function unquote(quoted: string, raw: boolean, binary: boolean): string {
  const body = quoted.replace(/\r\n?/g, "\n");
  if (raw || !body.includes("\\")) return body;
  let out = "";
  let copied = 0;
  for (let at = body.indexOf("\\"); at >= 0; at = body.indexOf("\\", copied)) {
    const { text, size } = readEscape(body, at, binary);
    out += body.slice(copied, at) + text;
    copied = at + size;
  }
  return out + body.slice(copied);
}
