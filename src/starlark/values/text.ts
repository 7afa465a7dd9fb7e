/*
 * A Starlark string is a sequence of UTF-8 bytes. It is kept as a JavaScript string whose characters are those
 * bytes (0-255): length, indexing, slicing and order are then the language's own, and V8 stores a byte each.
 * The brand makes the compiler find a forgotten conversion at the host's boundary.
 */

declare const brand: unique symbol;

/** UTF-8 bytes as characters 0-255. */
export type StarlarkString = string & { readonly [brand]: "utf8 bytes" };

const NON_ASCII = /[^\x00-\x7f]/;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Encodes text; a lone surrogate becomes U+FFFD. */
export function fromJsString(text: string): StarlarkString {
  return (NON_ASCII.test(text) ? bytesToString(encoder.encode(text)) : text) as StarlarkString;
}

/** Decodes text; bytes that are not UTF-8 become U+FFFD. */
export function toJsString(text: StarlarkString | string): string {
  return NON_ASCII.test(text) ? decoder.decode(stringToBytes(text)) : text;
}

/** The bytes as a string, whatever they are. */
export function bytesToString(bytes: Uint8Array): StarlarkString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    "latin1",
  ) as StarlarkString;
}

/** The bytes of a string. */
export function stringToBytes(text: StarlarkString | string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** A literal of the program itself, known to be ASCII. */
export function ascii(text: string): StarlarkString {
  return text as StarlarkString;
}

/** Whether every byte is below 128. */
export function isAscii(text: string): boolean {
  return !NON_ASCII.test(text);
}
