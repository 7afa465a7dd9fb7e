import { fault } from "./fault.ts";
import { freeze } from "./freeze.ts";
import { type ReprWriter, repr } from "./repr.ts";
import { Table } from "./table.ts";
import { fromJsString, type StarlarkString } from "./text.ts";
import type { Value } from "./value.ts";

/** A dict, in insertion order. Keys of equal value are one: the form given first is kept. */
export class StarlarkDict extends Table {
  /** An empty dict; or one of these keys and values, which it takes over: the keys are distinct strings. */
  constructor(keys: StarlarkString[] = [], values: Value[] = []) {
    super(keys, values);
  }

  /** A dict of these entries; of equal keys the last value counts. */
  static from(entries: Iterable<readonly [Value, Value]>): StarlarkDict {
    const dict = new StarlarkDict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }

  get typeName(): string {
    return "dict";
  }

  /** The value of a key, or undefined. Throws for an unhashable key. */
  get(key: Value): Value | undefined {
    const at = this.find(key);
    return at < 0 ? undefined : this.valueArray[at];
  }

  /** Sets a key as a literal does; false when the key was there already. */
  insert(key: Value, value: Value): boolean {
    if (this.find(key) >= 0) return false;
    this.add(key, value);
    return true;
  }

  /** The value under a JavaScript text. */
  getString(key: string): Value | undefined {
    return this.get(fromJsString(key));
  }

  /** Sets the value under a JavaScript text. */
  setString(key: string, value: Value): void {
    this.set(fromJsString(key), value);
  }

  /** The values, in order: a fresh array. */
  values(): Value[] {
    const { valueArray } = this;
    if (valueArray.length === this.size) return valueArray.slice() as Value[];
    return valueArray.filter((value) => value !== undefined);
  }

  /** The entries, in order: a fresh array. */
  override entries(): [Value, Value][] {
    const { keyArray, valueArray } = this;
    const out: [Value, Value][] = [];
    for (let i = 0; i < keyArray.length; i++) {
      const key = keyArray[i];
      if (key !== undefined) out.push([key, valueArray[i]!]);
    }
    return out;
  }

  /** A new dict with the same entries. */
  copy(): StarlarkDict {
    const dict = new StarlarkDict();
    dict.copyFrom(this);
    return dict;
  }

  /** Sets all entries of another dict. */
  addAll(other: StarlarkDict): void {
    const { keyArray, valueArray } = other;
    for (let i = 0, n = keyArray.length; i < n; i++) {
      const key = keyArray[i];
      if (key !== undefined) this.set(key, valueArray[i]!);
    }
  }

  override getIndex(key: Value): Value {
    const value = this.get(key);
    if (value === undefined) throw fault(`key ${repr(key)} not in dict`);
    return value;
  }

  override setIndex(key: Value, value: Value): void {
    this.set(key, value);
  }

  override equals(other: Value, equal: (x: Value, y: Value) => boolean): boolean {
    if (!(other instanceof StarlarkDict) || other.size !== this.size) return false;
    return this.entries().every(([key, value]) => {
      const theirs = other.get(key);
      return theirs !== undefined && equal(value, theirs);
    });
  }

  override writeRepr(writer: ReprWriter): void {
    writer.nested("{", "}", this, () => {
      let separator = "";
      for (const [key, value] of this.entries()) {
        writer.raw(separator);
        writer.write(key);
        writer.raw(": ");
        writer.write(value);
        separator = ", ";
      }
    });
  }

  override repr(): StarlarkString {
    return repr(this);
  }

  override hash(): number {
    throw fault("unhashable type: dict");
  }

  override freeze(): void {
    freeze(this);
  }

  override get goTypeName(): string {
    return "*starlark.Dict";
  }
}

/** A set, in insertion order. */
export class StarlarkSet extends Table {
  constructor() {
    super([], []);
  }

  /** A set of these elements. */
  static from(elems: Iterable<Value>): StarlarkSet {
    const set = new StarlarkSet();
    for (const elem of elems) set.insert(elem);
    return set;
  }

  get typeName(): string {
    return "set";
  }

  /** Adds an element. */
  insert(elem: Value): void {
    this.set(elem, null);
  }

  /** The elements, in order: a fresh array. */
  elems(): Value[] {
    return this.keys();
  }

  /** A new set with the same elements. */
  copy(): StarlarkSet {
    const set = new StarlarkSet();
    set.copyFrom(this);
    return set;
  }

  /** Whether every element of this set is in the other. */
  isSubsetOf(other: StarlarkSet): boolean {
    return this.size <= other.size && this.keys().every((elem) => other.has(elem));
  }

  override equals(other: Value): boolean {
    return other instanceof StarlarkSet && other.size === this.size && this.isSubsetOf(other);
  }

  override ordered(op: "<" | "<=" | ">" | ">=", other: Value): boolean {
    if (!(other instanceof StarlarkSet)) return false;
    const [small, large] = op === "<" || op === "<=" ? [this, other] : [other, this];
    return small.isSubsetOf(large) && (op === "<=" || op === ">=" || small.size < large.size);
  }

  override writeRepr(writer: ReprWriter): void {
    writer.raw("set([");
    let separator = "";
    for (const elem of this.keys()) {
      writer.raw(separator);
      writer.write(elem);
      separator = ", ";
    }
    writer.raw("])");
  }

  override repr(): StarlarkString {
    return repr(this);
  }

  override hash(): number {
    throw fault("unhashable type: set");
  }

  override freeze(): void {
    freeze(this);
  }

  override get goTypeName(): string {
    return "*starlark.Set";
  }
}
