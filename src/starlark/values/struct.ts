import { fault } from "./fault.ts";
import { freeze } from "./freeze.ts";
import { charge } from "./fuel.ts";
import { hashText, hashValue } from "./hash.ts";
import { type ReprWriter, repr, str, strText } from "./repr.ts";
import { fromJsString, type StarlarkString } from "./text.ts";
import { type BinaryOperator, StarlarkObject, type Value } from "./value.ts";

type Fields = Iterable<readonly [string, Value]> | Readonly<Record<string, Value>>;

function fieldMap(fields: Fields): Map<string, Value> {
  const entries =
    Symbol.iterator in fields
      ? [...(fields as Iterable<readonly [string, Value]>)]
      : Object.entries(fields);
  return new Map(entries);
}

/** An immutable record. Structs are equal when their brands and fields are. */
export class StarlarkStruct extends StarlarkObject {
  /** What made it: a text such as "struct", or the constructor's value. */
  readonly brand: Value;
  /** By name, sorted. */
  readonly fields: ReadonlyMap<string, Value>;
  #frozen = false;

  constructor(brand: string | Value, fields: Fields) {
    super();
    this.brand = typeof brand === "string" ? fromJsString(brand) : brand;
    this.fields = new Map([...fieldMap(fields)].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get typeName(): string {
    return "struct";
  }

  override getAttr(name: string): Value | undefined {
    return this.fields.get(name);
  }

  override noSuchAttr(name: string): string {
    const brand = strText(this.brand);
    return `${brand === "struct" ? "" : `${brand} `}struct has no .${name} attribute`;
  }

  override attrNames(): string[] {
    return [...this.fields.keys()];
  }

  override writeRepr(writer: ReprWriter): void {
    writer.nested(`${str(this.brand)}(`, ")", this, () => {
      let separator = "";
      for (const [name, value] of this.fields) {
        writer.raw(`${separator}${fromJsString(name)} = `);
        writer.write(value);
        separator = ", ";
      }
    });
  }

  override repr(): StarlarkString {
    return repr(this);
  }

  override hash(): number {
    charge(1);
    let hash = 8731;
    for (const [name, value] of this.fields) {
      hash = Math.imul(hash ^ hashText(name) ^ hashValue(value), 0x01000193);
    }
    return hash;
  }

  override equals(other: Value, equal: (x: Value, y: Value) => boolean): boolean {
    if (!(other instanceof StarlarkStruct) || other.fields.size !== this.fields.size) return false;
    if (!equal(this.brand, other.brand)) return false;
    for (const [name, value] of this.fields) {
      const theirs = other.fields.get(name);
      if (theirs === undefined || !equal(value, theirs)) return false;
    }
    return true;
  }

  override binary(op: BinaryOperator, other: Value, side: "left" | "right"): Value | undefined {
    if (op !== "+" || side !== "left" || !(other instanceof StarlarkStruct)) return undefined;
    if (this.brand !== other.brand) {
      throw fault(
        `cannot add structs of different constructors: ${str(this.brand)} + ${str(other.brand)}`,
      );
    }
    return new StarlarkStruct(this.brand, [...this.fields, ...other.fields]);
  }

  override freeze(): void {
    freeze(this);
  }

  override freezeInto(pending: Value[]): void {
    if (this.#frozen) return;
    this.#frozen = true;
    for (const value of this.fields.values()) pending.push(value);
  }

  override get goTypeName(): string {
    return "*starlarkstruct.Struct";
  }
}

/** How a module shows itself. */
export interface ModuleOptions {
  /** The answer of `str(m)` and `repr(m)`; `<module "NAME">` unless given. */
  readonly text?: string;
}

/** A named collection of values. */
export class StarlarkModule extends StarlarkObject {
  override readonly name: string;
  readonly members: ReadonlyMap<string, Value>;
  readonly #text: string;
  #frozen = false;

  constructor(name: string, members: Fields, options: ModuleOptions = {}) {
    super();
    this.name = name;
    this.members = fieldMap(members);
    this.#text = options.text ?? `<module ${JSON.stringify(name)}>`;
  }

  get typeName(): string {
    return "module";
  }

  override repr(): StarlarkString {
    return fromJsString(this.#text);
  }

  override getAttr(name: string): Value | undefined {
    return this.members.get(name);
  }

  override attrNames(): string[] {
    return [...this.members.keys()].sort();
  }

  override freeze(): void {
    freeze(this);
  }

  override freezeInto(pending: Value[]): void {
    if (this.#frozen) return;
    this.#frozen = true;
    for (const value of this.members.values()) pending.push(value);
  }

  override get goTypeName(): string {
    return "*starlarkstruct.Module";
  }
}
