import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { fuel } from "../values/fuel.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { StarlarkRange } from "../values/range.ts";
import { typeName } from "../values/repr.ts";
import { StarlarkObject, type Value } from "../values/value.ts";
import { placeAt, refuel } from "./call.ts";
import { BREAK, CONTINUE, type Completion } from "./frame.ts";
import type { Site } from "./vm.ts";

/** One turn of a loop, given the element: what it returns, other than CONTINUE, ends the loop. */
export type Turn<F> = (frame: F, elem: Value) => Completion;

/** Runs a turn for each element. A collection cannot change meanwhile. */
export function forEach<F>(iterable: Value, frame: F, turn: Turn<F>, site: Site): Completion {
  if (iterable instanceof StarlarkRange) return forRange(iterable, frame, turn, site);
  if (iterable instanceof StarlarkList) {
    iterable.locks++;
    try {
      return forElements(iterable.elems, frame, turn, site);
    } finally {
      iterable.locks--;
    }
  }
  if (iterable instanceof StarlarkTuple) return forElements(iterable.elems, frame, turn, site);
  if (iterable instanceof StarlarkDict || iterable instanceof StarlarkSet) {
    iterable.locks++;
    try {
      return forElements(iterable.keyArray, frame, turn, site);
    } finally {
      iterable.locks--;
    }
  }
  return forHost(iterable, frame, turn, site);
}

function forRange<F>(range: StarlarkRange, frame: F, turn: Turn<F>, site: Site): Completion {
  const { start, step, size } = range;
  if (typeof start === "bigint" || typeof step === "bigint")
    return forHost(range, frame, turn, site);
  if (!Number.isSafeInteger(start + step * size)) return forHost(range, frame, turn, site);
  for (let i = 0, elem = start; i < size; i++, elem += step) {
    if (--fuel[0]! < 0) refuel(site);
    const completion = turn(frame, elem);
    if (completion !== undefined && completion !== CONTINUE) {
      return completion === BREAK ? undefined : completion;
    }
  }
  return undefined;
}

function forElements<F>(
  elems: readonly (Value | undefined)[],
  frame: F,
  turn: Turn<F>,
  site: Site,
): Completion {
  for (let i = 0; i < elems.length; i++) {
    const elem = elems[i];
    if (elem === undefined) continue;
    if (--fuel[0]! < 0) refuel(site);
    const completion = turn(frame, elem);
    if (completion !== undefined && completion !== CONTINUE) {
      return completion === BREAK ? undefined : completion;
    }
  }
  return undefined;
}

function* placed(iterable: Value, site: Site): Iterable<Value> {
  if (!(iterable instanceof StarlarkObject) || !iterable.iterate) {
    throw placeAt(fault(`${typeName(iterable)} value is not iterable`), site);
  }
  try {
    yield* iterable.iterate();
  } catch (error) {
    throw placeAt(error, site);
  }
}

function forHost<F>(iterable: Value, frame: F, turn: Turn<F>, site: Site): Completion {
  for (const elem of placed(iterable, site)) {
    if (--fuel[0]! < 0) refuel(site);
    const completion = turn(frame, elem);
    if (completion !== undefined && completion !== CONTINUE) {
      return completion === BREAK ? undefined : completion;
    }
  }
  return undefined;
}
