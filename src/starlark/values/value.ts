import type { Thread } from "../eval/thread.ts";
import type { ReprWriter } from "./repr.ts";
import type { StarlarkString } from "./text.ts";

/** A Starlark value. Ints are numbers while they are safe integers, bigints beyond; None is null. */
export type Value = null | boolean | number | bigint | StarlarkString | StarlarkObject;

/** Named arguments of a call, in order. */
export type Kwargs = readonly (readonly [name: StarlarkString, value: Value])[];

/** The operators that a value type may define for itself. */
export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "//"
  | "%"
  | "|"
  | "&"
  | "^"
  | "<<"
  | ">>"
  | "in"
  | "not in";

/** The prefix operators that a value type may define for itself. */
export type UnaryOperator = "+" | "-" | "~";

/** Everything that is not a JavaScript primitive. A method that is absent is an operation that the type lacks. */
export abstract class StarlarkObject {
  /** The answer of `type(x)`. */
  abstract readonly typeName: string;

  /** The answer of `repr(x)`. */
  abstract repr(): StarlarkString;

  /** The answer of `str(x)`, also used by print, `%s` and `{}`. */
  str(): StarlarkString {
    return this.repr();
  }

  truth(): boolean {
    return true;
  }

  /** Makes the value and all it holds immutable. */
  freeze(): void {}

  /** A 32-bit number, equal for equal values. Throws for a type that cannot be a key. */
  hash(): number {
    throw new Error(`unhashable: ${this.typeName}`);
  }

  /** Whether the value is hashable, and equal to itself alone. */
  get hashedByIdentity(): boolean {
    return false;
  }

  /** Equality with a value of the same type name; identity unless overridden. Held values are compared by `equal`. */
  equals(other: Value, _equal: (x: Value, y: Value) => boolean): boolean {
    return this === other;
  }

  /** The name of the type in starlark-go, for messages that show it (`%T`). */
  get goTypeName(): string {
    return `*starlark.${this.typeName}`;
  }

  /** Writes `repr(x)` for a type that holds values, so that cycles are seen. */
  writeRepr?(writer: ReprWriter): void;
  /** Marks the value itself frozen and adds the values it holds: freezing is a walk without recursion. */
  freezeInto?(pending: Value[]): void;
  /** `x.name`; undefined when there is none, which the interpreter reports with a suggestion. */
  getAttr?(name: string): Value | undefined;
  /** The message for an attribute that does not exist, if it is not the usual one. */
  noSuchAttr?(name: string): string;
  /** The names for `dir(x)` and for suggestions. */
  attrNames?(): string[];
  /** `x.name = value`; throws a plain Error to refuse. */
  setAttr?(name: string, value: Value): void;
  /** `x[index]`. */
  getIndex?(index: Value): Value;
  /** `x[index] = value`. */
  setIndex?(index: Value, value: Value): void;
  /** `len(x)`. */
  length?(): number;
  /** The elements, in order. */
  iterate?(): Iterable<Value>;
  /** The pairs of a mapping, which `dict(x)`, `d.update(x)` and `f(**x)` take; their keys are what `iterate` gives. */
  entries?(): [Value, Value][];
  /** `value in x`. */
  contains?(value: Value): boolean;
  /** The order of two values of the same type name: negative, zero or positive. */
  compare?(other: Value): number;
  /** `x op other` for a type whose order is not total, as subset is for sets. */
  ordered?(op: "<" | "<=" | ">" | ">=", other: Value): boolean;
  /** `x op other` or `other op x`; undefined when the operands do not go together. */
  binary?(op: BinaryOperator, other: Value, side: "left" | "right"): Value | undefined;
  /** `op x`. */
  unary?(op: UnaryOperator): Value | undefined;
  /** `x(*args, **kwargs)`. */
  call?(thread: Thread, args: readonly Value[], kwargs: Kwargs): Value;
  /** The name of a callable, as it stands in tracebacks. */
  declare readonly name?: string;
}

/** Base of the value types that an application adds. */
export abstract class HostValue extends StarlarkObject {
  override get goTypeName(): string {
    return `*tiltfile.${this.typeName}`;
  }
}
