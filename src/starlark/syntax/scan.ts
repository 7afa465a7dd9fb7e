import { ParseError } from "../errors.ts";
import { StarlarkBytes } from "../values/bytes.ts";
import { StarlarkFloat } from "../values/float.ts";
import { makeInt } from "../values/int.ts";
import { ascii, toJsString } from "../values/text.ts";
import { decodeRune, isLetter } from "../values/unicode.ts";
import type { Value } from "../values/value.ts";
import type { SourceText } from "./source.ts";
import * as T from "./token.ts";
import { unquote } from "./unquote.ts";

/** Brackets nested deeper than this are refused. */
export const MAX_NESTING = 1000;

const TAB_WIDTH = 8;

/** Classes of the characters that tokens begin with. */
const LETTER = 1;
const DIGIT = 2;
const QUOTE = 3;

const CLASSES = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const char = String.fromCharCode(c);
  if (/[A-Za-z_]/.test(char)) CLASSES[c] = LETTER;
  else if (/[0-9]/.test(char)) CLASSES[c] = DIGIT;
  else if (/['"]/.test(char)) CLASSES[c] = QUOTE;
}

/** Tokens of one character, and of that character followed by `=`. */
const SINGLE = new Uint8Array(128);
const WITH_EQ = new Uint8Array(128);
for (const [char, token, withEq] of [
  [",", T.COMMA, 0],
  [":", T.COLON, 0],
  [";", T.SEMI, 0],
  ["~", T.TILDE, 0],
  ["=", T.EQ, T.EQL],
  ["<", T.LT, T.LE],
  [">", T.GT, T.GE],
  ["!", 0, T.NEQ],
  ["+", T.PLUS, T.PLUS + T.AUGMENTED],
  ["-", T.MINUS, T.MINUS + T.AUGMENTED],
  ["*", T.STAR, T.STAR + T.AUGMENTED],
  ["/", T.SLASH, T.SLASH + T.AUGMENTED],
  ["%", T.PERCENT, T.PERCENT + T.AUGMENTED],
  ["&", T.AMP, T.AMP + T.AUGMENTED],
  ["|", T.PIPE, T.PIPE + T.AUGMENTED],
  ["^", T.CIRCUMFLEX, T.CIRCUMFLEX + T.AUGMENTED],
] as const) {
  SINGLE[char.charCodeAt(0)] = token;
  WITH_EQ[char.charCodeAt(0)] = withEq;
}

const BRACKETS = new Map([
  ["(", T.LPAREN],
  [")", T.RPAREN],
  ["[", T.LBRACK],
  ["]", T.RBRACK],
  ["{", T.LBRACE],
  ["}", T.RBRACE],
]);

const NEWLINE_CODE = 10;
const RETURN_CODE = 13;
const SPACE_CODE = 32;
const TAB_CODE = 9;
const HASH_CODE = 35;
const BACKSLASH_CODE = 92;
const EQUALS_CODE = 61;
const DOT_CODE = 46;

/** Splits a source text into tokens, one at a time. Throws ParseErrors. */
export class Scanner {
  readonly #source: SourceText;
  readonly #text: string;
  /** The offset after the token just read. */
  at = 0;
  /** The offset of the token just read. */
  start = 0;
  /** A name's text. */
  name = "";
  /** A literal's value. */
  value: Value = null;
  #depth = 0;
  #lineStart = true;
  readonly #indents = [0];
  /** INDENT (positive) or OUTDENT (negative) tokens still to be given. */
  #dents = 0;
  readonly #words = new Map<string, { name: string; token: number }>();
  /** In a REPL a blank line ends an indented block. */
  readonly interactive: boolean;

  constructor(source: SourceText, interactive = false) {
    this.#source = source;
    this.#text = source.text;
    this.interactive = interactive;
    for (const [name, token] of T.KEYWORDS) this.#words.set(name, { name, token });
  }

  /** Throws a ParseError at an offset. */
  fail(offset: number, message: string): never {
    throw new ParseError(toJsString(message), this.#source.position(offset));
  }

  /** Reads the next token. */
  next(): number {
    const text = this.#text;
    for (;;) {
      const atLineStart = this.#lineStart;
      const blank = atLineStart && this.#readIndentation();
      if (this.#dents !== 0) return this.#giveDent();
      let c = text.charCodeAt(this.at);
      while (c === SPACE_CODE || c === TAB_CODE) c = text.charCodeAt(++this.at);
      if (c === HASH_CODE) c = this.#skipComment();
      if (c === NEWLINE_CODE || c === RETURN_CODE) {
        this.#lineStart = true;
        if (this.#depth > 0 || (blank && !this.#closesBlock())) {
          this.#skipNewline();
          continue;
        }
        if (blank) continue;
        this.start = this.at;
        this.#skipNewline();
        return T.NEWLINE;
      }
      // Like starlark-go's scanner, takes a NUL for the end of the file.
      if (Number.isNaN(c) || c === 0) {
        if (this.#endOfFile(atLineStart)) continue;
        return this.#lineStart && this.#indents.length > 1 ? T.NEWLINE : T.EOF;
      }
      if (c === BACKSLASH_CODE) {
        this.#continueLine();
        continue;
      }
      this.start = this.at;
      return this.#scanToken(c);
    }
  }

  /** In a REPL, a blank line after an indented block closes it. */
  #closesBlock(): boolean {
    if (!this.interactive || this.#indents.length === 1) return false;
    this.#dents = 1 - this.#indents.length;
    this.#indents.length = 1;
    return true;
  }

  /** Skips the blanks at the start of a line and compares them with the block's; true for a line without code. */
  #readIndentation(): boolean {
    const text = this.#text;
    const lineStart = this.at;
    this.#lineStart = false;
    let col = 0;
    let c = text.charCodeAt(this.at);
    while (c === SPACE_CODE || c === TAB_CODE) {
      col += c === SPACE_CODE ? 1 : TAB_WIDTH - ((this.at - lineStart) % TAB_WIDTH);
      c = text.charCodeAt(++this.at);
    }
    if (c === HASH_CODE || c === NEWLINE_CODE || c === RETURN_CODE || Number.isNaN(c) || c === 0)
      return true;
    if (this.#depth > 0) return false;
    const indents = this.#indents;
    if (col > indents.at(-1)!) {
      this.#dents++;
      indents.push(col);
    } else if (col < indents.at(-1)!) {
      while (col < indents.at(-1)!) {
        this.#dents--;
        indents.pop();
      }
      if (col !== indents.at(-1))
        this.fail(this.at, "unindent does not match any outer indentation level");
    }
    return false;
  }

  #giveDent(): number {
    this.start = this.at;
    if (this.#dents < 0) {
      this.#dents++;
      return T.OUTDENT;
    }
    this.#dents--;
    return T.INDENT;
  }

  #skipComment(): number {
    const text = this.#text;
    let c = text.charCodeAt(this.at);
    while (!Number.isNaN(c) && c !== 0 && c !== NEWLINE_CODE && c !== RETURN_CODE)
      c = text.charCodeAt(++this.at);
    return c;
  }

  #skipNewline(): void {
    if (
      this.#text.charCodeAt(this.at++) === RETURN_CODE &&
      this.#text.charCodeAt(this.at) === NEWLINE_CODE
    )
      this.at++;
  }

  /** Closes open blocks at the end of the file; true when OUTDENT tokens are due now. */
  #endOfFile(atLineStart: boolean): boolean {
    this.start = this.at;
    if (this.#indents.length === 1) return false;
    if (!atLineStart) {
      this.#lineStart = true;
      return false;
    }
    this.#dents = 1 - this.#indents.length;
    this.#indents.length = 1;
    return true;
  }

  #continueLine(): void {
    const c = this.#text.charCodeAt(++this.at);
    if (c !== NEWLINE_CODE && c !== RETURN_CODE) this.fail(this.at, "stray backslash in program");
    this.#skipNewline();
  }

  #scanToken(c: number): number {
    switch (CLASSES[c]) {
      case LETTER:
        return this.#scanWord(c);
      case QUOTE:
        return this.#scanString(this.at, false, false);
      case DIGIT:
        return this.#scanNumber();
    }
    if (c === DOT_CODE) {
      if (CLASSES[this.#text.charCodeAt(this.at + 1)] === DIGIT) return this.#scanNumber();
      this.at++;
      return T.DOT;
    }
    if (c >= 128) return this.#scanWord(c);
    return this.#scanPunctuation(c);
  }

  #scanPunctuation(c: number): number {
    const char = this.#text[this.at]!;
    const bracket = BRACKETS.get(char);
    if (bracket !== undefined) return this.#scanBracket(char, bracket);
    const next = this.#text.charCodeAt(this.at + 1);
    const single = SINGLE[c]!;
    if (next === EQUALS_CODE && WITH_EQ[c] !== 0) {
      this.at += 2;
      return WITH_EQ[c]!;
    }
    if (single === 0) {
      if (char === "!") this.fail(this.at, "unexpected input character '!'");
      this.fail(this.at, `unexpected input character ${quoteChar(char)}`);
    }
    this.at++;
    if (next !== c) return single;
    return this.#scanDoubled(char, single);
  }

  /** `<<`, `>>`, `//` and `**`, the first three perhaps with `=`. */
  #scanDoubled(char: string, single: number): number {
    const doubled = char === "<" ? T.LTLT : char === ">" ? T.GTGT : char === "/" ? T.SLASHSLASH : 0;
    if (doubled === 0) {
      if (char !== "*") return single;
      this.at++;
      return T.STARSTAR;
    }
    this.at++;
    if (this.#text.charCodeAt(this.at) !== EQUALS_CODE) return doubled;
    this.at++;
    return doubled + T.AUGMENTED;
  }

  #scanBracket(char: string, bracket: number): number {
    if (bracket === T.LPAREN || bracket === T.LBRACK || bracket === T.LBRACE) {
      if (++this.#depth > MAX_NESTING) this.fail(this.at, "excessive nesting");
    } else if (this.#depth === 0) {
      this.fail(this.at, `unexpected '${char}'`);
    } else this.#depth--;
    this.at++;
    return bracket;
  }

  #scanWord(first: number): number {
    const text = this.#text;
    if (first === 114 || first === 98) {
      const literal = this.#scanPrefixed(first === 114);
      if (literal !== 0) return literal;
    }
    let c = first;
    while (CLASSES[c] === LETTER || CLASSES[c] === DIGIT) c = text.charCodeAt(++this.at);
    if (c >= 128) this.#scanUnicodeWord();
    if (this.at === this.start) this.#failUnexpected();
    const key = text.substring(this.start, this.at);
    let word = this.#words.get(key);
    if (word === undefined) {
      word = { name: key, token: T.IDENT };
      this.#words.set(key, word);
    }
    this.name = word.name;
    return word.token;
  }

  #failUnexpected(): never {
    const { rune } = decodeRune(this.#text, this.at);
    this.fail(
      this.at,
      `unexpected input character ${quoteChar(this.#text.slice(this.at, this.at + decodeRune(this.#text, this.at).size), rune)}`,
    );
  }

  #scanUnicodeWord(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.at);
      if (CLASSES[c] === LETTER || CLASSES[c] === DIGIT) this.at++;
      else if (c >= 128) {
        const { rune, size } = decodeRune(this.#text, this.at);
        if (!isLetter(rune)) return;
        this.at += size;
      } else return;
    }
  }

  /** `r"`, `b"` and `rb"`; 0 for a name that merely begins so. */
  #scanPrefixed(raw: boolean): number {
    const second = this.#text.charCodeAt(this.at + 1);
    if (CLASSES[second] === QUOTE) return this.#scanString(this.at + 1, raw, !raw);
    if (raw && second === 98 && CLASSES[this.#text.charCodeAt(this.at + 2)] === QUOTE) {
      return this.#scanString(this.at + 2, true, true);
    }
    return 0;
  }

  #scanString(quoteAt: number, raw: boolean, binary: boolean): number {
    const text = this.#text;
    const quote = text.charCodeAt(quoteAt);
    const triple = text.charCodeAt(quoteAt + 1) === quote && text.charCodeAt(quoteAt + 2) === quote;
    const from = quoteAt + (triple ? 3 : 1);
    const end = triple ? this.#findTripleEnd(from, quote) : this.#findEnd(from, quote);
    this.at = end + (triple ? 3 : 1);
    let body = text.substring(from, end);
    if (this.#special) {
      try {
        body = unquote(body, raw, binary);
      } catch (error) {
        // In starlark-go the position is that of the quote, after any prefix.
        this.fail(quoteAt, (error as Error).message);
      }
    }
    this.value = binary ? new StarlarkBytes(body) : ascii(body);
    return binary ? T.BYTES : T.STRING;
  }

  /** Whether the literal just found has a backslash or a carriage return. */
  #special = false;

  #findEnd(from: number, quote: number): number {
    const text = this.#text;
    this.#special = false;
    for (let i = from; ; i++) {
      const c = text.charCodeAt(i);
      if (c === quote) return i;
      if (c === BACKSLASH_CODE) {
        this.#special = true;
        i++;
        // An escaped CRLF is one character.
        if (text.charCodeAt(i) === RETURN_CODE && text.charCodeAt(i + 1) === NEWLINE_CODE) i++;
      } else if (c === NEWLINE_CODE || c === RETURN_CODE)
        this.#failString(i, "unexpected newline in string");
      if (i >= text.length) this.#failString(i, "unexpected EOF in string");
    }
  }

  #failString(at: number, message: string): never {
    this.at = at;
    this.fail(this.start, message);
  }

  #findTripleEnd(from: number, quote: number): number {
    const text = this.#text;
    this.#special = false;
    for (let i = from; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === BACKSLASH_CODE) {
        this.#special = true;
        i++;
      } else if (c === RETURN_CODE) this.#special = true;
      else if (c === quote && text.charCodeAt(i + 1) === quote && text.charCodeAt(i + 2) === quote)
        return i;
    }
    this.#failString(text.length, "unexpected EOF in string");
  }

  #scanNumber(): number {
    const text = this.#text;
    let n = 0;
    let i = this.at;
    let c = text.charCodeAt(i);
    while (CLASSES[c] === DIGIT) {
      n = n * 10 + (c - 48);
      c = text.charCodeAt(++i);
    }
    const length = i - this.at;
    const plain =
      c !== DOT_CODE && c !== 101 && c !== 69 && (text[this.at] !== "0" || length === 1);
    if (plain && length <= 15 && !(length === 1 && n === 0 && /[xXoObB]/.test(text[i] ?? ""))) {
      this.at = i;
      this.value = n;
      return T.INT;
    }
    return this.#scanOddNumber();
  }

  /** Numbers other than short decimal ints. */
  #scanOddNumber(): number {
    const start = this.at;
    const prefix = this.#text.slice(start, start + 2).toLowerCase();
    if (prefix === "0x") return this.#scanRadix(/[0-9a-fA-F]*/y, "invalid hex literal", start);
    if (prefix === "0o") return this.#scanRadix(/[0-7]*/y, "invalid octal literal", start + 2);
    if (prefix === "0b") return this.#scanRadix(/[01]*/y, "invalid binary literal", start + 2);
    const digits = this.#match(/[0-9]*/y);
    const fraction = this.#match(/\.[0-9]*/y);
    const exponent = this.#match(/[eE]/y) !== "";
    if (
      exponent &&
      this.#match(/[+-]/y) !== "" &&
      CLASSES[this.#text.charCodeAt(this.at)] !== DIGIT
    ) {
      this.fail(this.at, "invalid float literal");
    }
    if (exponent) this.#match(/[0-9]*/y);
    const raw = this.#text.slice(start, this.at);
    if (fraction !== "" || exponent) return this.#giveFloat(raw);
    if (/^0[0-7]*[1-7][0-7]*$/.test(digits)) {
      this.fail(this.at, `obsolete form of octal literal; use 0o${raw.slice(1)}`);
    }
    if (/^0+[^0]/.test(digits)) this.fail(start, "invalid int literal");
    this.value = makeInt(BigInt(raw));
    return T.INT;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  #scanRadix(digits: RegExp, message: string, where: number): number {
    this.at += 2;
    if (this.#match(digits) === "") this.fail(where, message);
    this.value = makeInt(BigInt(this.#text.slice(this.start, this.at)));
    return T.INT;
  }

  #giveFloat(raw: string): number {
    const x = Number(raw);
    if (!Number.isFinite(x)) this.fail(this.at, "invalid float literal");
    this.value = new StarlarkFloat(x);
    return T.FLOAT;
  }
}

/** Go's %#q: in backquotes when that is possible. */
function quoteChar(char: string, rune = char.charCodeAt(0)): string {
  if (rune === 0x27) return "'\\''";
  if (rune < 0x20 || rune === 0x7f) return `'\\x${rune.toString(16).padStart(2, "0")}'`;
  if (rune === 0xfeff) return "'\\ufeff'";
  return `'${char}'`;
}
