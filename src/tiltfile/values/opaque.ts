import { fromJsString, HostValue, type StarlarkString } from "../../starlark/index.ts";

/** A value that a Tiltfile can only pass on: a name for its type, a text, and what it stands for. */
export class Opaque<T> extends HostValue {
  readonly typeName: string;
  readonly content: T;
  readonly #text: string;
  readonly #goTypeName: string;

  constructor(typeName: string, goTypeName: string, text: string, content: T) {
    super();
    this.typeName = typeName;
    this.content = content;
    this.#text = text;
    this.#goTypeName = goTypeName;
  }

  override repr(): StarlarkString {
    return fromJsString(this.#text);
  }

  override hash(): number {
    throw new Error(`unhashable type: ${this.typeName}`);
  }

  override get goTypeName(): string {
    return this.#goTypeName;
  }
}
