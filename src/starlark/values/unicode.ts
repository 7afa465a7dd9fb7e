/* Code points of byte strings, and the character classes of Go's unicode package. */

/** U+FFFD, which stands for a byte that is not UTF-8. */
export const REPLACEMENT = 0xfffd;

/** The highest code point. */
export const MAX_RUNE = 0x10ffff;

/** A decoded code point and the number of bytes that it took. */
export interface DecodedRune {
  readonly rune: number;
  readonly size: number;
}

const INVALID: DecodedRune = { rune: REPLACEMENT, size: 1 };

/** The length and the least and greatest second byte of a sequence, by first byte (RFC 3629). */
function sequenceShape(first: number): [size: number, low: number, high: number] | undefined {
  if (first >= 0xc2 && first <= 0xdf) return [2, 0x80, 0xbf];
  if (first >= 0xe0 && first <= 0xef)
    return [3, first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf];
  if (first >= 0xf0 && first <= 0xf4)
    return [4, first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf];
  return undefined;
}

/** Decodes the code point at a byte offset within the string; an invalid byte is U+FFFD of size 1. */
export function decodeRune(text: string, at: number): DecodedRune {
  const first = text.charCodeAt(at);
  if (first < 0x80) return { rune: first, size: 1 };
  const shape = sequenceShape(first);
  if (shape === undefined || at + shape[0] > text.length) return INVALID;
  const [size, low, high] = shape;
  const second = text.charCodeAt(at + 1);
  if (second < low || second > high) return INVALID;
  let rune = ((first & (0xff >> (size + 1))) << 6) | (second & 0x3f);
  for (let i = 2; i < size; i++) {
    const next = text.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return INVALID;
    rune = (rune << 6) | (next & 0x3f);
  }
  return { rune, size };
}

/** The code point that ends at a byte offset (exclusive). */
export function decodeLastRune(text: string, end: number): DecodedRune {
  for (let start = end - 1; start >= 0 && start >= end - 4; start--) {
    if ((text.charCodeAt(start) & 0xc0) === 0x80) continue;
    const decoded = decodeRune(text, start);
    return start + decoded.size === end ? decoded : INVALID;
  }
  return INVALID;
}

/** The UTF-8 bytes of a code point, as characters; U+FFFD for a surrogate or a number out of range. */
export function encodeRune(rune: number): string {
  if (rune >= 0 && rune < 0x80) return String.fromCharCode(rune);
  if (rune >= 0 && rune < 0x800)
    return String.fromCharCode(0xc0 | (rune >> 6), 0x80 | (rune & 0x3f));
  if (rune < 0 || rune > MAX_RUNE || (rune >= 0xd800 && rune < 0xe000)) return "\u00ef\u00bf\u00bd";
  const tail = [0x80 | ((rune >> 6) & 0x3f), 0x80 | (rune & 0x3f)] as const;
  if (rune < 0x10000) return String.fromCharCode(0xe0 | (rune >> 12), ...tail);
  return String.fromCharCode(0xf0 | (rune >> 18), 0x80 | ((rune >> 12) & 0x3f), ...tail);
}

/** The code points of a byte string, in order. */
export function runes(text: string): number[] {
  const out: number[] = [];
  for (let at = 0; at < text.length; ) {
    const { rune, size } = decodeRune(text, at);
    out.push(rune);
    at += size;
  }
  return out;
}

/** Text with each byte that is not UTF-8 replaced by U+FFFD. */
export function transcode(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? runes(text).map(encodeRune).join("") : text;
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;
const TITLECASE = /^\p{Lt}$/u;
const SPACE = /^[\t\n\v\f\r \u0085\u00a0\p{Z}]$/u;
const LETTERS_LOWER = /^\p{Ll}$/u;
const LETTERS_UPPER = /^\p{Lu}$/u;

function matches(pattern: RegExp, rune: number): boolean {
  return pattern.test(String.fromCodePoint(rune));
}

const printables = new Map<number, boolean>();

/** Go's strconv.IsPrint. */
export function isPrintable(rune: number): boolean {
  let printable = printables.get(rune);
  if (printable === undefined) {
    printable = matches(PRINTABLE, rune);
    printables.set(rune, printable);
  }
  return printable;
}

/** Go's unicode.IsLetter. */
export function isLetter(rune: number): boolean {
  if (rune < 0x80) return (rune | 0x20) >= 0x61 && (rune | 0x20) <= 0x7a;
  return matches(LETTER, rune);
}

/** Go's unicode.IsDigit. */
export function isDigit(rune: number): boolean {
  if (rune < 0x80) return rune >= 0x30 && rune <= 0x39;
  return matches(DIGIT, rune);
}

/** Go's unicode.IsSpace. */
export function isSpace(rune: number): boolean {
  if (rune < 0x80) return rune === 0x20 || (rune >= 9 && rune <= 13);
  return matches(SPACE, rune);
}

/** Go's unicode.IsLower: category Ll. */
export function isLower(rune: number): boolean {
  return matches(LETTERS_LOWER, rune);
}

/** Go's unicode.IsUpper. */
export function isUpper(rune: number): boolean {
  return matches(LETTERS_UPPER, rune);
}

/** Go's unicode.IsTitle. */
export function isTitle(rune: number): boolean {
  return matches(TITLECASE, rune);
}

/** The single code point that a mapping gives, or the original where it gives several. */
function mapped(rune: number, map: (text: string) => string): number {
  const text = map(String.fromCodePoint(rune));
  const first = text.codePointAt(0)!;
  return text.length === (first > 0xffff ? 2 : 1) ? first : rune;
}

/** Go's unicode.ToLower: simple case mapping. */
export function toLower(rune: number): number {
  if (rune < 0x80) return rune >= 0x41 && rune <= 0x5a ? rune + 32 : rune;
  // U+0130 lowers to two code points in full mapping, to "i" in simple mapping.
  return rune === 0x130 ? 0x69 : mapped(rune, (text) => text.toLowerCase());
}

/** Go's unicode.ToUpper: simple case mapping. */
export function toUpper(rune: number): number {
  if (rune < 0x80) return rune >= 0x61 && rune <= 0x7a ? rune - 32 : rune;
  return greekTitle(rune) ?? mapped(rune, (text) => text.toUpperCase());
}

/** The digraphs that have a titlecase form of their own, by any of their three forms. */
const TITLE_FORMS = new Map<number, number>(
  [0x1c4, 0x1c7, 0x1ca, 0x1f1].flatMap((upper): [number, number][] => [
    [upper, upper + 1],
    [upper + 1, upper + 1],
    [upper + 2, upper + 1],
  ]),
);

/** Greek letters with iota subscript: their simple uppercase is the titlecase letter. */
function greekTitle(rune: number): number | undefined {
  if (rune >= 0x1f80 && rune <= 0x1faf) return rune | 8;
  if (rune === 0x1fb3 || rune === 0x1fc3 || rune === 0x1ff3) return rune + 9;
  return rune === 0x1fbc || rune === 0x1fcc || rune === 0x1ffc ? rune : undefined;
}

/** Go's unicode.ToTitle: simple case mapping. */
export function toTitle(rune: number): number {
  // Georgian has capitals for whole words only, never for the first letter.
  if (rune >= 0x10d0 && rune <= 0x10ff) return rune;
  return TITLE_FORMS.get(rune) ?? toUpper(rune);
}

/** The sharp s has a capital, though no simple mapping leads to it. */
const SHARP_S = 0xdf;
/** The I of Turkish, with a dot and without: their cases are those of another letter. */
const TURKISH_I = new Set([0x130, 0x131]);

/** Whether a code point has another case: Go's `unicode.SimpleFold(r) != r`. */
export function isCased(rune: number): boolean {
  if (rune < 0x80) return isLetter(rune);
  if (TURKISH_I.has(rune)) return false;
  if (rune === SHARP_S) return true;
  return toLower(rune) !== rune || toUpper(rune) !== rune || toTitle(rune) !== rune;
}
