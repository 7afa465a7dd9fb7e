import { charge } from "./fuel.ts";
import { formatInt } from "./int.ts";
import { quote } from "./quote.ts";
import { ascii, type StarlarkString, toJsString } from "./text.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** Beyond this many bytes a text is refused: V8's limit is a little above. */
export const MAX_TEXT = 2 ** 29 - 64;

const PIECE = 2 ** 14;

/** Writing a value takes some times as long as a turn of a loop. */
const STEPS_PER_VALUE = 5;

/** Builds the text of a value, and knows which containers it is within, so that a cycle prints as `...`. */
export class ReprWriter {
  /** Text that is done, in large pieces. */
  readonly #pieces: string[] = [];
  #length = 0;
  #out = "";
  readonly #path = new Set<StarlarkObject>();

  /** Adds text as it is. */
  raw(text: string): void {
    this.#out += text;
    if (this.#out.length > PIECE) this.#finishPiece();
  }

  /** V8 keeps a sum of texts as a tree, at 32 bytes a leaf, until a character of it is asked for. */
  #finishPiece(): void {
    this.#out.charCodeAt(0);
    this.#length += this.#out.length;
    if (this.#length > MAX_TEXT) throw new Error("excessive text length");
    this.#pieces.push(this.#out);
    this.#out = "";
  }

  /** Adds the value as a literal. */
  write(value: Value): void {
    charge(STEPS_PER_VALUE);
    if (value instanceof StarlarkObject) {
      if (value.writeRepr) value.writeRepr(this);
      else this.raw(value.repr());
    } else this.raw(reprPrimitive(value));
  }

  /** Writes a container between brackets, or `...` in its place when it is being written already. */
  nested(open: string, close: string, container: StarlarkObject, body: () => void): void {
    this.raw(open);
    if (this.#path.has(container)) this.raw("...");
    else {
      this.#path.add(container);
      body();
      this.#path.delete(container);
    }
    this.raw(close);
  }

  text(): StarlarkString {
    if (this.#pieces.length === 0) return ascii(this.#out);
    this.#finishPiece();
    return ascii(this.#pieces.join(""));
  }
}

function reprPrimitive(value: null | boolean | number | bigint | StarlarkString): string {
  if (typeof value === "string") return quote(value, false);
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  return formatInt(value);
}

/** The answer of `repr(x)`. */
export function repr(value: Value): StarlarkString {
  if (!(value instanceof StarlarkObject)) return ascii(reprPrimitive(value));
  if (!value.writeRepr) return value.repr();
  const writer = new ReprWriter();
  value.writeRepr(writer);
  return writer.text();
}

/** The answer of `str(x)`, also written by print, `%s` and `{}`. */
export function str(value: Value): StarlarkString {
  if (typeof value === "string") return value;
  return value instanceof StarlarkObject ? value.str() : ascii(reprPrimitive(value));
}

/** `repr` as JavaScript text. */
export function reprText(value: Value): string {
  return toJsString(repr(value));
}

/** `str` as JavaScript text. */
export function strText(value: Value): string {
  return toJsString(str(value));
}

/** The answer of `type(x)`. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
    case "bigint":
      return "int";
    case "boolean":
      return "bool";
    default:
      return value === null ? "NoneType" : value.typeName;
  }
}

/** The name of the value's type in starlark-go (`%T`), which some messages show. */
export function goTypeName(value: Value): string {
  switch (typeof value) {
    case "string":
      return "starlark.String";
    case "number":
    case "bigint":
      return "starlark.Int";
    case "boolean":
      return "starlark.Bool";
    default:
      return value === null ? "starlark.NoneType" : value.goTypeName;
  }
}

/** The truth value, as `bool(x)` gives it. */
export function truth(value: Value): boolean {
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return value !== "";
    case "number":
      return value !== 0;
    case "bigint":
      return value !== 0n;
    case "object":
      return value === null ? false : value.truth();
  }
}
