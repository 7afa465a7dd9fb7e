import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { makeInt } from "../values/int.ts";
import { StarlarkList } from "../values/list.ts";
import { typeName } from "../values/repr.ts";
import { ascii, fromJsString, type StarlarkString, toJsString } from "../values/text.ts";
import type { Value } from "../values/value.ts";

/** Arrays and objects nested deeper than this are refused. */
const MAX_NESTING = 1000;

/** A character as Go's %q shows it. */
function quoteChar(char: string): string {
  if (char === "'" || char === "\\") return `'\\${char}'`;
  const code = char.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, "0")}'`;
  return `'${code < 0x80 ? char : toJsString(ascii(char))}'`;
}

/** The text of a string literal with escapes. JavaScript's own reader does the work, once Go's errors are ruled out. */
function unquote(literal: string): StarlarkString {
  for (const [sequence, after] of literal.matchAll(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}|(.?))/gs)) {
    if (sequence.length < 2 || after !== undefined) {
      throw fault(`invalid character ${quoteChar(after ?? "")} in string escape code`);
    }
  }
  const control = /[\x00-\x1f]/.exec(literal);
  if (control !== null) throw fault(`invalid character ${quoteChar(control[0])} in string literal`);
  return fromJsString(JSON.parse(toJsString(literal)) as string);
}

class Decoder {
  readonly #text: string;
  #depth = 0;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Skips white space; whether there is more. */
  skipSpace(): boolean {
    while (/[ \t\n\r]/.test(this.#text[this.at] ?? "")) this.at++;
    return this.at < this.#text.length;
  }

  #next(): string {
    if (!this.skipSpace()) throw fault("unexpected end of file");
    return this.#text[this.at]!;
  }

  decode(): Value {
    const value = this.#parse();
    if (this.skipSpace())
      throw fault(`unexpected character ${quoteChar(this.#text[this.at]!)} after value`);
    return value;
  }

  #parse(): Value {
    const char = this.#next();
    if (char === '"') return this.#string();
    if (char === "[") return this.#nested(() => this.#array());
    if (char === "{") return this.#nested(() => this.#object());
    for (const [word, value] of [
      ["null", null],
      ["true", true],
      ["false", false],
    ] as const) {
      if (this.#text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    if (/[-0-9]/.test(char)) return this.#number();
    throw fault(`unexpected character ${quoteChar(char)}`);
  }

  #nested<T>(body: () => T): T {
    if (++this.#depth > MAX_NESTING) throw fault("excessive nesting");
    const value = body();
    this.#depth--;
    return value;
  }

  #string(): StarlarkString {
    const found = /"(?:[^"\\]|\\.)*"/sy;
    found.lastIndex = this.at;
    const literal = found.exec(this.#text)?.[0];
    if (literal === undefined) throw fault("unclosed string literal");
    this.at += literal.length;
    return /[\\\x80-\xff]/.test(literal) ? unquote(literal) : ascii(literal.slice(1, -1));
  }

  #number(): Value {
    const found = /[-0-9][-+.eE0-9]*/y;
    found.lastIndex = this.at;
    const text = found.exec(this.#text)![0];
    this.at += text.length;
    if (/^-?0[0-9]/.test(text) || text === "-") throw fault(`invalid number: ${text}`);
    if (/^-?[0-9]+$/.test(text)) return makeInt(BigInt(text));
    const x = /^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(text)
      ? Number(text)
      : Number.NaN;
    if (!Number.isFinite(x)) throw fault(`invalid number: ${text}`);
    return new StarlarkFloat(x);
  }

  #array(): Value {
    const elems: Value[] = [];
    this.at++;
    if (this.#next() !== "]") {
      for (;;) {
        elems.push(this.#parse());
        const char = this.#next();
        if (char === "]") break;
        if (char !== ",") throw fault(`got ${quoteChar(char)}, want ',' or ']'`);
        this.at++;
      }
    }
    this.at++;
    return new StarlarkList(elems);
  }

  #object(): Value {
    const dict = new StarlarkDict();
    this.at++;
    if (this.#next() !== "}") {
      for (;;) {
        this.#entry(dict);
        const char = this.#next();
        if (char === "}") break;
        if (char !== ",") throw fault(`in object, got ${quoteChar(char)}, want ',' or '}'`);
        this.at++;
      }
    }
    this.at++;
    return dict;
  }

  #entry(dict: StarlarkDict): void {
    const key = this.#parse();
    if (typeof key !== "string") throw fault(`got ${typeName(key)} for object key, want string`);
    const char = this.#next();
    if (char !== ":") throw fault(`after object key, got ${quoteChar(char)}, want ':' `);
    this.at++;
    dict.set(key, this.#parse());
  }
}

/** The value of JSON text. Throws `at offset N, …`. */
export function decodeJson(text: StarlarkString): Value {
  const decoder = new Decoder(text);
  try {
    return decoder.decode();
  } catch (error) {
    throw new Error(`at offset ${decoder.at}, ${(error as Error).message}`);
  }
}
