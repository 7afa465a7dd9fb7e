import { ascii, type StarlarkString } from "./text.ts";
import { decodeRune, isPrintable, REPLACEMENT } from "./unicode.ts";

const PLAIN = /^[ !#-[\]-~]*$/;
const ESCAPES = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\u000b", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

function hex(n: number, width: number): string {
  return n.toString(16).padStart(width, "0");
}

function quoteRune(text: string, at: number): { quoted: string; size: number } {
  const char = text[at]!;
  const code = char.charCodeAt(0);
  const sequence = ESCAPES.get(char);
  if (sequence !== undefined) return { quoted: sequence, size: 1 };
  if (code < 0x80) {
    return { quoted: code < 0x20 || code === 0x7f ? `\\x${hex(code, 2)}` : char, size: 1 };
  }
  const { rune, size } = decodeRune(text, at);
  if (rune === REPLACEMENT && size === 1) {
    return { quoted: `\\x${hex(code, 2)}`, size };
  }
  if (isPrintable(rune)) return { quoted: text.slice(at, at + size), size };
  return { quoted: rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`, size };
}

/** What may need an escape: one ASCII character, or a run of other bytes. */
const SPECIAL = /["\\\x00-\x1f\x7f]|[\x80-\xff]+/g;

function quoteRun(run: string): string {
  let out = "";
  for (let at = 0; at < run.length; ) {
    const { quoted, size } = quoteRune(run, at);
    out += quoted;
    at += size;
  }
  return out;
}

/** The literal that denotes a string, or with `binary` a bytes value. */
export function quote(text: string, binary: boolean): StarlarkString {
  const body = PLAIN.test(text) ? text : text.replace(SPECIAL, quoteRun);
  return ascii(`${binary ? 'b"' : '"'}${body}"`);
}
