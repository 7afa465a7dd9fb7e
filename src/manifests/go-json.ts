import { TOO_MANY_VALUES, ValueBudget } from "./value-budget.ts";

/** A JSON value that keeps integers (`bigint`) apart from floats (`number`), as Tilt's `decode_json` does. */
export type GoJson =
  | null
  | boolean
  | bigint
  | number
  | string
  | GoJson[]
  | { [key: string]: GoJson };

/** Text that is no JSON, or a value that JSON cannot hold; the message is that of Go's encoding/json. */
export class GoJsonError extends Error {
  /** Offset in UTF-16 units of what is wrong. */
  readonly offset: number;
  constructor(message: string, offset = 0) {
    super(message);
    this.name = "GoJsonError";
    this.offset = offset;
  }
}

const MAX_DEPTH = 10_000;

/**
 * Reads one JSON value with the rules of Tilt's `decode_json`: a number with a `.` is a float, any other an int64.
 * @throws GoJsonError with Go's wording
 */
export function decodeGoJson(text: string): GoJson {
  const scanner = new Scanner(text, starlarkNumber);
  const value = scanner.next();
  if (value === undefined) throw new GoJsonError("EOF", text.length);
  if (scanner.hasMore()) throw new GoJsonError("found multiple JSON values", scanner.offset);
  return value as GoJson;
}

/** A JSON value with plain numbers; `bigint` only where a double would lose digits. */
export type LooseJson =
  | null
  | boolean
  | bigint
  | number
  | string
  | LooseJson[]
  | { [key: string]: LooseJson };

/** A value of a stream such as `{} {}`, with the offset at which it starts. */
export interface JsonStreamItem {
  readonly value: LooseJson;
  readonly offset: number;
}

/** What could be read of a stream of JSON texts. */
export interface JsonStream {
  readonly items: readonly JsonStreamItem[];
  /** Offset behind the last value that is whole. */
  readonly end: number;
  /** Why it does not go on; undefined at the end of the text. */
  readonly error: GoJsonError | undefined;
}

/** Reads values as long as they are JSON, with the rules of Go's `json.Decoder`. */
export function readJsonStream(text: string): JsonStream {
  const scanner = new Scanner(text, looseNumber);
  const items: JsonStreamItem[] = [];
  let end = 0;
  try {
    for (;;) {
      const value = scanner.next();
      if (value === undefined) return { items, end, error: undefined };
      items.push({ value: value as LooseJson, offset: scanner.start });
      end = scanner.offset;
    }
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    return { items, end, error };
  }
}

function starlarkNumber(text: string, offset: number): number | bigint {
  if (text.includes(".")) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new GoJsonError(`strconv.ParseFloat: parsing "${text}": value out of range`, offset);
  }
  if (/[eE]/.test(text)) {
    throw new GoJsonError(`strconv.ParseInt: parsing "${text}": invalid syntax`, offset);
  }
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) === value) return value;
  throw new GoJsonError(`strconv.ParseInt: parsing "${text}": value out of range`, offset);
}

function looseNumber(text: string): number | bigint {
  const value = Number(text);
  if (/^-?[0-9]+$/.test(text) && !Number.isSafeInteger(value)) return BigInt(text);
  return value;
}

type Value = null | boolean | bigint | number | string | Value[] | { [key: string]: Value };
type NumberReader = (text: string, offset: number) => number | bigint;

/** A recursive-descent reader that complains where and as encoding/json's scanner does. */
class Scanner {
  readonly #text: string;
  readonly #readNumber: NumberReader;
  readonly #budget = new ValueBudget();
  #at = 0;
  #depth = 0;
  /** Offset of the value that next() read last. */
  start = 0;

  constructor(text: string, readNumber: NumberReader) {
    this.#text = text;
    this.#readNumber = readNumber;
  }

  get offset(): number {
    return this.#at;
  }

  /** The next value of the stream; undefined at its end. */
  next(): Value | undefined {
    this.#skipSpace();
    if (this.#at >= this.#text.length) return undefined;
    this.start = this.#at;
    try {
      return this.#value();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new GoJsonError("exceeded max depth", this.#at);
    }
  }

  /** As `Decoder.More`: closing brackets do not count. */
  hasMore(): boolean {
    this.#skipSpace();
    return ![undefined, "]", "}"].includes(this.#text[this.#at]);
  }

  #value(): Value {
    if (!this.#budget.take()) throw new GoJsonError(TOO_MANY_VALUES, this.#at);
    const char = this.#text[this.#at];
    switch (char) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }

  #object(): Value {
    this.#enter();
    const object: { [key: string]: Value } = {};
    this.#skipSpace();
    if (this.#text[this.#at] === "}") return this.#leave(object);
    for (;;) {
      if (this.#text[this.#at] !== '"') this.#fail("looking for beginning of object key string");
      const key = this.#string();
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") this.#fail("after object key");
      this.#at += 1;
      this.#skipSpace();
      setMember(object, key, this.#value());
      this.#skipSpace();
      if (this.#text[this.#at] === "}") return this.#leave(object);
      if (this.#text[this.#at] !== ",") this.#fail("after object key:value pair");
      this.#at += 1;
      this.#skipSpace();
    }
  }

  #array(): Value {
    this.#enter();
    const array: Value[] = [];
    this.#skipSpace();
    if (this.#text[this.#at] === "]") return this.#leave(array);
    for (;;) {
      array.push(this.#value());
      this.#skipSpace();
      if (this.#text[this.#at] === "]") return this.#leave(array);
      if (this.#text[this.#at] !== ",") this.#fail("after array element");
      this.#at += 1;
      this.#skipSpace();
    }
  }

  #enter(): void {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new GoJsonError("exceeded max depth", this.#at);
  }

  #leave(value: Value): Value {
    this.#at += 1;
    this.#depth -= 1;
    return value;
  }

  #string(): string {
    const from = this.#at + 1;
    for (let at = from; ; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return toWellFormed(this.#text.slice(from, at));
      }
      if (code === 0x5c) return this.#escapedString(from, at);
      if (Number.isNaN(code) || code < 0x20) {
        this.#at = at;
        this.#fail("in string literal");
      }
    }
  }

  #escapedString(from: number, firstEscape: number): string {
    let at = firstEscape;
    for (; this.#text[at] !== '"'; at += 1) {
      this.#at = at;
      const code = this.#text.charCodeAt(at);
      if (Number.isNaN(code) || code < 0x20) this.#fail("in string literal");
      if (code !== 0x5c) continue;
      at += 1;
      this.#at = at;
      const escaped = this.#text[at] ?? "";
      if (escaped === "u") at = this.#hexadecimal(at);
      else if (escaped === "" || !'bfnrt\\/"'.includes(escaped))
        this.#fail("in string escape code");
    }
    this.#at = at + 1;
    return toWellFormed(JSON.parse(this.#text.slice(from - 1, at + 1)));
  }

  /** Checks the four digits behind `\u`; gives the offset of the last one. */
  #hexadecimal(at: number): number {
    for (let digit = 1; digit <= 4; digit += 1) {
      this.#at = at + digit;
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? "")) {
        this.#fail("in \\u hexadecimal character escape");
      }
    }
    return at + 4;
  }

  #literal<T extends Value>(word: string, value: T): T {
    for (let index = 1; index < word.length; index += 1) {
      this.#at += 1;
      if (this.#text[this.#at] !== word[index]) {
        this.#fail(`in literal ${word} (expecting '${word[index]}')`);
      }
    }
    this.#at += 1;
    return value;
  }

  #number(): number | bigint {
    const from = this.#at;
    const digit = () => /[0-9]/.test(this.#text[this.#at] ?? "");
    const digits = (context: string) => {
      if (!digit()) this.#fail(context);
      while (digit()) this.#at += 1;
    };
    if (this.#text[this.#at] === "-") {
      this.#at += 1;
      if (!digit()) this.#fail("in numeric literal");
    } else if (!digit()) {
      this.#fail("looking for beginning of value");
    }
    if (this.#text[this.#at] === "0") this.#at += 1;
    else digits("in numeric literal");
    if (this.#text[this.#at] === ".") {
      this.#at += 1;
      digits("after decimal point in numeric literal");
    }
    if (/[eE]/.test(this.#text[this.#at] ?? "")) {
      this.#at += 1;
      if (/[-+]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
      digits("in exponent of numeric literal");
    }
    return this.#readNumber(this.#text.slice(from, this.#at), from);
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #fail(context: string): never {
    if (this.#at >= this.#text.length) throw new GoJsonError("unexpected EOF", this.#at);
    const char = quoteCharacter(this.#text.slice(this.#at, this.#at + 2));
    throw new GoJsonError(`invalid character ${char} ${context}`, this.#at);
  }
}

/** `__proto__` is a key like any other. */
function setMember(object: { [key: string]: Value }, key: string, value: Value): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    object[key] = value;
  }
}

/** Go names the offending byte, not the character: the first one of its UTF-8 form, as if it were Latin-1. */
function quoteCharacter(text: string): string {
  const byte = Buffer.from(text)[0]!;
  const char = String.fromCharCode(byte);
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${GO_ESCAPES[char] ?? (isGoPrintable(byte) ? char : escapeByte(byte))}'`;
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

function isGoPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}

function escapeByte(byte: number): string {
  const hex = byte.toString(16);
  return byte < 0x80 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`;
}

/** A text with U+FFFD for each lone surrogate, which is what Go makes of them. */
export function toWellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text).toString() : text;
}
