import { equals } from "./compare.ts";
import { fault } from "./fault.ts";
import { hashValue, mapKey } from "./hash.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** Up to this many keys a search along the array is faster than a Map. */
const LINEAR_LIMIT = 8;

/**
 * The table behind dicts and sets, in insertion order. Keys and values lie in two arrays, where a deleted
 * entry leaves a hole (undefined). Few plain keys are searched in line; more are indexed by a Map of `mapKey`s,
 * and keys that have none by their hash, in chains.
 */
export abstract class Table extends StarlarkObject {
  keyArray: (Value | undefined)[];
  valueArray: (Value | undefined)[];
  size: number;
  frozen = false;
  /** The number of iterations under way. */
  locks = 0;
  #index: Map<unknown, number> | undefined = undefined;
  /** Entries of tuples and structs: by hash, the newest entry; then `#next` along the chain. */
  #chains: Map<number, number> | undefined = undefined;
  #next: number[] | undefined = undefined;
  /** No entry before this one is alive. */
  #first = 0;

  /** Takes the arrays over: as many values as keys, which are distinct strings. */
  protected constructor(keys: Value[], values: Value[]) {
    super();
    this.keyArray = keys;
    this.valueArray = values;
    this.size = keys.length;
  }

  override truth(): boolean {
    return this.size > 0;
  }

  override length(): number {
    return this.size;
  }

  /** Throws if the table cannot change now; `verb` completes "cannot … hash table". */
  checkMutable(verb: string): void {
    if (this.frozen) throw fault(`cannot ${verb} frozen hash table`);
    if (this.locks > 0) throw fault(`cannot ${verb} hash table during iteration`);
  }

  /** The place of a key, or -1. Throws for an unhashable key. */
  protected find(key: Value): number {
    const wanted = typeof key === "string" || typeof key === "number" ? key : mapKey(key);
    if (this.#index === undefined) {
      const keys = this.keyArray;
      if (keys.length <= LINEAR_LIMIT) {
        for (let i = 0; i < keys.length; i++) if (keys[i] === wanted) return i;
        return -1;
      }
      this.#reindex();
    }
    return wanted === undefined ? this.#findChained(key) : (this.#index!.get(wanted) ?? -1);
  }

  #findChained(key: Value): number {
    if (this.#chains === undefined) return -1;
    for (let at = this.#chains.get(hashValue(key)) ?? -1; at >= 0; at = this.#next![at]!) {
      if (equals(this.keyArray[at]!, key)) return at;
    }
    return -1;
  }

  /** Sets a key's value: a known key keeps its place and its first form. */
  set(key: Value, value: Value): void {
    if (this.frozen || this.locks > 0) this.checkMutable("insert into");
    const at = this.find(key);
    if (at >= 0) this.valueArray[at] = value;
    else this.add(key, value);
  }

  /** Adds a key that is known to be absent, to a table that may change. */
  protected add(key: Value, value: Value): void {
    const at = this.keyArray.length;
    this.keyArray.push(key);
    this.valueArray.push(value);
    this.size++;
    if (this.#index !== undefined) this.#register(key, at);
    else if (typeof key !== "string" && typeof key !== "number" && mapKey(key) !== key) {
      this.#reindex();
    }
  }

  #register(key: Value, at: number): void {
    const wanted = typeof key === "string" || typeof key === "number" ? key : mapKey(key);
    if (wanted !== undefined) this.#index!.set(wanted, at);
    else {
      this.#chains ??= new Map();
      const hash = hashValue(key);
      this.#next ??= [];
      this.#next[at] = this.#chains.get(hash) ?? -1;
      this.#chains.set(hash, at);
    }
  }

  /** Closes the holes and builds the index anew. */
  #reindex(): void {
    const { keyArray, valueArray } = this;
    let live = 0;
    for (let i = this.#first; i < keyArray.length; i++) {
      if (keyArray[i] === undefined) continue;
      keyArray[live] = keyArray[i];
      valueArray[live++] = valueArray[i];
    }
    keyArray.length = live;
    valueArray.length = live;
    this.#first = 0;
    this.#index = new Map();
    this.#chains = undefined;
    this.#next = undefined;
    for (let i = 0; i < live; i++) this.#register(keyArray[i]!, i);
  }

  /** Deletes a key; its value, or undefined when it was absent. */
  delete(key: Value): Value | undefined {
    if (this.frozen || this.locks > 0) this.checkMutable("delete from");
    const at = this.find(key);
    if (at < 0) return undefined;
    const value = this.valueArray[at]!;
    if (this.#index === undefined) {
      this.keyArray.splice(at, 1);
      this.valueArray.splice(at, 1);
      this.size--;
    } else this.#leaveHole(key, at);
    return value;
  }

  #leaveHole(key: Value, at: number): void {
    const wanted = mapKey(key);
    if (wanted !== undefined) this.#index!.delete(wanted);
    else this.#unchain(hashValue(key), at);
    this.keyArray[at] = undefined;
    this.valueArray[at] = undefined;
    this.size--;
    if (at === this.#first) this.#first++;
    if (this.keyArray.length - this.size > this.size + 16) this.#reindex();
  }

  #unchain(hash: number, at: number): void {
    const chains = this.#chains!;
    const next = this.#next!;
    const head = chains.get(hash)!;
    if (head === at) {
      if (next[at]! >= 0) chains.set(hash, next[at]!);
      else chains.delete(hash);
      return;
    }
    let before = head;
    while (next[before] !== at) before = next[before]!;
    next[before] = next[at]!;
  }

  /** Removes all entries. */
  clear(): void {
    this.checkMutable("clear");
    this.keyArray.length = 0;
    this.valueArray.length = 0;
    this.size = 0;
    this.#index = undefined;
    this.#chains = undefined;
    this.#next = undefined;
    this.#first = 0;
  }

  /** Whether the key is present. Throws for an unhashable key. */
  has(key: Value): boolean {
    return this.find(key) >= 0;
  }

  /** The keys, in order: a fresh array. */
  keys(): Value[] {
    const { keyArray } = this;
    if (keyArray.length === this.size) return keyArray.slice() as Value[];
    return keyArray.filter((key) => key !== undefined);
  }

  /** The oldest key. */
  firstKey(): Value | undefined {
    const { keyArray } = this;
    while (this.#first < keyArray.length && keyArray[this.#first] === undefined) this.#first++;
    return keyArray[this.#first];
  }

  override iterate(): Iterable<Value> {
    return this.keys();
  }

  override freezeInto(pending: Value[]): void {
    if (this.frozen) return;
    this.frozen = true;
    for (const key of this.keyArray) if (key !== undefined) pending.push(key);
    for (const value of this.valueArray) if (value !== undefined) pending.push(value);
  }

  /** Fills this empty table with another's entries. */
  protected copyFrom(other: Table): void {
    this.keyArray = other.keys();
    this.valueArray =
      other.valueArray.length === other.size
        ? other.valueArray.slice()
        : other.valueArray.filter((value) => value !== undefined);
    this.size = other.size;
    if (other.#index !== undefined) this.#reindex();
  }
}
