import type { Thread } from "../eval/thread.ts";
import { types, unpack } from "../eval/unpack.ts";
import { elementsOf } from "../values/access.ts";
import { type OrderOperator, order } from "../values/compare.ts";
import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import { type Builtin, makeBuiltin } from "../values/function.ts";
import { StarlarkList } from "../values/list.ts";
import { typeName } from "../values/repr.ts";
import type { StarlarkObject, Value } from "../values/value.ts";

/* The builtins that compare elements, by a key that a function of the program gives. */

/** Runs something while an iterable may not change. */
export function whileIterating<T>(iterable: Value, body: () => T): T {
  if (
    !(
      iterable instanceof StarlarkList ||
      iterable instanceof StarlarkDict ||
      iterable instanceof StarlarkSet
    )
  ) {
    return body();
  }
  iterable.locks++;
  try {
    return body();
  } finally {
    iterable.locks--;
  }
}

function keysOf(
  thread: Thread,
  elems: readonly Value[],
  key: StarlarkObject | undefined,
): readonly Value[] {
  if (key === undefined) return elems;
  return elems.map((elem) => thread.call(key, [elem]));
}

/** Sorts indices of keys, stably. Strings and small ints take V8's own comparison. */
function sortIndices(keys: readonly Value[], reverse: boolean): number[] {
  const places = keys.map((_, i) => i);
  charge(keys.length);
  const sign = reverse ? -1 : 1;
  if (keys.every((key) => typeof key === "string")) {
    return places.sort((i, j) => (keys[i]! < keys[j]! ? -sign : keys[i]! > keys[j]! ? sign : 0));
  }
  if (keys.every((key) => typeof key === "number")) {
    return places.sort((i, j) => sign * ((keys[i] as number) - (keys[j] as number)));
  }
  // The later element is compared with the earlier one, as in starlark-go, which shows in the message.
  const before = reverse
    ? (i: number, j: number) => order("<", keys[j]!, keys[i]!)
    : (i: number, j: number) => order("<", keys[i]!, keys[j]!);
  return sortReporting(places, before);
}

/** A run of this many elements is sorted by insertion, as in Go: the order of comparisons shows in messages. */
const RUN = 20;

/** Sorts on past a failed comparison, and throws the last failure in the end, as starlark-go does. */
function sortReporting(
  places: number[],
  before: (later: number, earlier: number) => boolean,
): number[] {
  let failure: unknown;
  const sorted = mergeSort(places, (later, earlier) => {
    try {
      return before(later, earlier);
    } catch (error) {
      failure = error;
      return false;
    }
  });
  if (failure !== undefined) throw failure;
  return sorted;
}

/** A stable sort that asks only whether a later element belongs before an earlier one. */
function mergeSort(
  places: number[],
  before: (later: number, earlier: number) => boolean,
): number[] {
  if (places.length <= RUN) return insertionSort(places, before);
  const middle = places.length >> 1;
  const left = mergeSort(places.slice(0, middle), before);
  const right = mergeSort(places.slice(middle), before);
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    out.push(before(right[j]!, left[i]!) ? right[j++]! : left[i++]!);
  }
  while (i < left.length) out.push(left[i++]!);
  while (j < right.length) out.push(right[j++]!);
  return out;
}

function insertionSort(
  places: number[],
  before: (later: number, earlier: number) => boolean,
): number[] {
  const out = places.slice();
  for (let i = 1; i < out.length; i++) {
    for (let j = i; j > 0 && before(out[j]!, out[j - 1]!); j--) {
      [out[j], out[j - 1]] = [out[j - 1]!, out[j]!];
    }
  }
  return out;
}

const SORTED_PARAMS = {
  iterable: types.iterable,
  "key?": types.callable,
  "reverse?": types.bool,
} as const;
const KEY_PARAM = { "key?": types.callable } as const;

/** `sorted(iterable, key=None, reverse=False)`. */
export const sorted: Builtin = makeBuiltin("sorted", (thread, args, kwargs) => {
  const { iterable, key, reverse } = unpack("sorted", args, kwargs, SORTED_PARAMS);
  return whileIterating(iterable, () => {
    const elems = elementsOf(iterable)!;
    const places = sortIndices(keysOf(thread, elems, key), reverse ?? false);
    return new StarlarkList(places.map((i) => elems[i]!));
  });
});

function extreme(
  thread: Thread,
  name: string,
  op: OrderOperator,
  elems: Value[],
  key: StarlarkObject | undefined,
) {
  if (elems.length === 0) throw fault(`${name}: argument is an empty sequence`);
  charge(elems.length >> 2);
  let best = elems[0]!;
  let bestKey = key === undefined ? best : thread.call(key, [best]);
  for (let i = 1; i < elems.length; i++) {
    const elem = elems[i]!;
    const elemKey = key === undefined ? elem : thread.call(key, [elem]);
    if (precedes(name, op, elemKey, bestKey)) {
      best = elem;
      bestKey = elemKey;
    }
  }
  return best;
}

function precedes(name: string, op: OrderOperator, a: Value, b: Value): boolean {
  if (typeof a === "number" && typeof b === "number") return op === "<" ? a < b : a > b;
  try {
    return order(op, a, b);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** `min` or `max`: of several arguments, or of an iterable's elements. */
export function minmax(name: "min" | "max", op: "<" | ">"): Builtin {
  return makeBuiltin(name, (thread, args, kwargs) => {
    if (args.length === 0) throw fault(`${name} requires at least one positional argument`);
    const { key } = kwargs.length === 0 ? { key: undefined } : unpack(name, [], kwargs, KEY_PARAM);
    if (args.length > 1) return extreme(thread, name, op, args as Value[], key);
    const elems = elementsOf(args[0]!);
    if (elems === undefined) throw fault(`${name}: ${typeName(args[0]!)} value is not iterable`);
    return whileIterating(args[0]!, () => extreme(thread, name, op, elems, key));
  });
}
