import { isIterable } from "../eval/unpack.ts";
import { elementsOf, lengthOf } from "../values/access.ts";
import type { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { repr, typeName } from "../values/repr.ts";
import type { Kwargs, StarlarkObject, Value } from "../values/value.ts";
import { type Method, method, methodTable, named, variadicMethod } from "./method.ts";

function setPair(dict: StarlarkDict, pair: Value, i: number): void {
  if (!isIterable(pair)) {
    throw fault(`dictionary update sequence element #${i} is not iterable (${typeName(pair)})`);
  }
  const length = lengthOf(pair);
  if (length < 0) {
    throw fault(`dictionary update sequence element #${i} has unknown length (${typeName(pair)})`);
  }
  if (length !== 2) {
    throw fault(`dictionary update sequence element #${i} has length ${length}, want 2`);
  }
  const [key, value] = elementsOf(pair)!;
  dict.set(key!, value!);
}

function setPairs(dict: StarlarkDict, pairs: StarlarkObject): void {
  if (pairs.entries !== undefined) {
    // The entries are taken first, so that a dict may update itself.
    for (const [key, value] of pairs.entries()) dict.set(key, value);
    return;
  }
  let i = 0;
  for (const pair of pairs.iterate!()) setPair(dict, pair, i++);
}

/** What the dict builtin and dict.update share. `updates` has one element at most. */
export function updateDict(dict: StarlarkDict, updates: readonly Value[], kwargs: Kwargs): void {
  const pairs = updates[0];
  if (pairs !== undefined) {
    if (!isIterable(pairs)) throw fault(`got ${typeName(pairs)}, want iterable`);
    charge(Math.max(0, lengthOf(pairs)) >> 3);
    setPairs(dict, pairs);
  }
  const before = dict.size;
  for (const [name, value] of kwargs) dict.set(name, value);
  if (dict.size < before + kwargs.length) checkDistinct(kwargs);
}

function checkDistinct(kwargs: Kwargs): void {
  const seen = new Set<string>();
  for (const [name] of kwargs) {
    if (seen.has(name)) throw fault(`duplicate keyword arg: ${repr(name)}`);
    seen.add(name);
  }
}

function get(dict: StarlarkDict, key: Value, fallback: Value = null): Value {
  const value = typeof key === "string" ? dict.get(key) : named("get", () => dict.get(key));
  return value === undefined ? fallback : value;
}

function pop(dict: StarlarkDict, key: Value, fallback?: Value): Value {
  const value = named("pop", () => dict.delete(key));
  if (value !== undefined) return value;
  if (fallback !== undefined) return fallback;
  throw fault("pop: missing key");
}

function popitem(dict: StarlarkDict): Value {
  const key = dict.firstKey();
  if (key === undefined) throw fault("popitem: empty dict");
  const value = named("popitem", () => dict.delete(key));
  return new StarlarkTuple([key, value!]);
}

function setdefault(dict: StarlarkDict, key: Value, fallback: Value = null): Value {
  return named("setdefault", () => {
    const value = dict.get(key);
    if (value !== undefined) return value;
    dict.set(key, fallback);
    return fallback;
  });
}

const methods: Method<StarlarkDict>[] = [
  method("clear", 0, 0, (dict) => {
    dict.clear();
    return null;
  }),
  method("get", 1, 2, (dict, key, fallback) => get(dict, key!, fallback)),
  method("items", 0, 0, (dict) => {
    charge(dict.size >> 3);
    return new StarlarkList(dict.entries().map((entry) => new StarlarkTuple(entry)));
  }),
  method("keys", 0, 0, (dict) => new StarlarkList(dict.keys())),
  method("pop", 1, 2, (dict, key, fallback) => pop(dict, key!, fallback)),
  method("popitem", 0, 0, popitem),
  method("setdefault", 1, 2, (dict, key, fallback) => setdefault(dict, key!, fallback)),
  variadicMethod("update", (dict, args, kwargs) => {
    if (args.length > 1) throw fault(`update: got ${args.length} arguments, want at most 1`);
    named("update", () => updateDict(dict, args, kwargs));
    return null;
  }),
  method("values", 0, 0, (dict) => new StarlarkList(dict.values())),
];

/** The methods of dicts. */
export const dictMethods = methodTable(methods);
