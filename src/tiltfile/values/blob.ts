import {
  fromJsString,
  HostValue,
  isString,
  type StarlarkString,
  toJsString,
  type Value,
} from "../../starlark/index.ts";

/** Text that came from somewhere: a file, a command, a literal. Tiltfiles pass it where a plain string means a path. */
export class Blob extends HostValue {
  readonly typeName = "blob";
  /** Its bytes. */
  readonly text: StarlarkString;
  /** Where it came from, for messages: `local: CMD`, `file: PATH`, `Tiltfile blob() call` … */
  readonly source: string;

  constructor(text: StarlarkString | string, source: string) {
    super();
    this.text = isString(text as Value) ? (text as StarlarkString) : fromJsString(text);
    this.source = source;
  }

  override repr(): StarlarkString {
    return this.text;
  }

  override truth(): boolean {
    return this.text.length > 0;
  }

  override hash(): number {
    throw new Error("unhashable type: blob");
  }

  override equals(other: Value): boolean {
    return other instanceof Blob && other.text === this.text && other.source === this.source;
  }

  override get goTypeName(): string {
    return "io.Blob";
  }
}

/** A Blob of JavaScript text. */
export function blobOf(text: string, source: string): Blob {
  return new Blob(fromJsString(text), source);
}

/** The bytes of a string or Blob; undefined for anything else. */
export function textBytes(value: Value): StarlarkString | undefined {
  if (isString(value)) return value;
  return value instanceof Blob ? value.text : undefined;
}

/** The text of a string or Blob; undefined for anything else. */
export function textOf(value: Value): string | undefined {
  const bytes = textBytes(value);
  return bytes === undefined ? undefined : toJsString(bytes);
}
