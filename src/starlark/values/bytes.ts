import { fault } from "./fault.ts";
import { quote } from "./quote.ts";
import { ascii, type StarlarkString } from "./text.ts";
import { transcode } from "./unicode.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** A binary string: like a string, but not text. */
export class StarlarkBytes extends StarlarkObject {
  /** A character 0-255 for each byte. */
  readonly bytes: string;

  constructor(bytes: string) {
    super();
    this.bytes = bytes;
  }

  get typeName(): string {
    return "bytes";
  }

  override repr(): StarlarkString {
    return quote(this.bytes, true);
  }

  override truth(): boolean {
    return this.bytes !== "";
  }

  override length(): number {
    return this.bytes.length;
  }

  override get goTypeName(): string {
    return "starlark.Bytes";
  }
}

/** The iterable that the elems and codepoints methods of strings and bytes return: a view, without copying. */
export class TextView extends StarlarkObject {
  readonly typeName: string;
  readonly text: string;
  readonly method: string;
  readonly elementOf: (
    text: string,
    at: number,
  ) => { readonly value: Value; readonly size: number };
  readonly isBinary: boolean;

  constructor(view: {
    typeName: string;
    text: string;
    method: string;
    binary: boolean;
    elementOf: (text: string, at: number) => { readonly value: Value; readonly size: number };
  }) {
    super();
    this.typeName = view.typeName;
    this.text = view.text;
    this.method = view.method;
    this.isBinary = view.binary;
    this.elementOf = view.elementOf;
  }

  override repr(): StarlarkString {
    return ascii(`${quote(this.text, this.isBinary)}.${this.method}()`);
  }

  override *iterate(): Iterable<Value> {
    const { text, elementOf } = this;
    for (let at = 0; at < text.length; ) {
      const { value, size } = elementOf(text, at);
      yield value;
      at += size;
    }
  }
}

/** The view of a string's bytes, which unlike the others has a length and can be indexed. */
export class ElementView extends TextView {
  override length(): number {
    return this.text.length;
  }

  /** The element at a valid index. */
  at(index: number): Value {
    return this.elementOf(this.text, index).value;
  }
}

/** The text of bytes for `str`: invalid bytes become U+FFFD. */
export function bytesToText(bytes: StarlarkBytes): StarlarkString {
  return ascii(transcode(bytes.bytes));
}

/** Whether bytes hold a part, given as bytes or as one byte's number. */
export function bytesContain(
  bytes: StarlarkBytes,
  part: Value,
  typeNameOf: (value: Value) => string,
): boolean {
  if (part instanceof StarlarkBytes) return bytes.bytes.includes(part.bytes);
  if (typeof part === "number" || typeof part === "bigint") {
    if (part < 0 || part > 255) {
      throw fault(`int in bytes: ${part} out of range (want value in unsigned 8-bit range)`);
    }
    return bytes.bytes.includes(String.fromCharCode(Number(part)));
  }
  throw fault(`'in bytes' requires bytes or int as left operand, not ${typeNameOf(part)}`);
}
