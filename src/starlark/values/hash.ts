import { StarlarkBytes } from "./bytes.ts";
import { StarlarkFloat } from "./float.ts";
import { StarlarkTuple } from "./list.ts";
import type { StarlarkObject, Value } from "./value.ts";

/** 32-bit FNV-1a of the characters. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function hashNumber(n: number): number {
  const low = n | 0;
  return Math.imul(low === n ? low : low ^ Math.floor(n / 2 ** 32), 0x9e3779b1) ^ 0x55;
}

function hashTuple(tuple: StarlarkTuple): number {
  if (tuple.hashed !== undefined) return tuple.hashed;
  let hash = 0x345678;
  for (const elem of tuple.elems) hash = Math.imul(hash ^ hashValue(elem), 1000003) + 82520;
  tuple.hashed = hash | 0;
  return tuple.hashed;
}

/** A 32-bit number, the same for equal values. Throws `unhashable …` for a value that cannot be a key. */
export function hashValue(value: Value): number {
  switch (typeof value) {
    case "string":
      return hashText(value);
    case "number":
      return hashNumber(value);
    case "bigint":
      return hashNumber(Number(BigInt.asIntN(52, value)));
    case "boolean":
      return value ? 1 : 2;
  }
  if (value === null) return 3;
  if (value instanceof StarlarkTuple) return hashTuple(value);
  if (value instanceof StarlarkFloat) return hashFloat(value.value);
  if (value instanceof StarlarkBytes) return hashText(value.bytes) ^ 0xb;
  return value.hash();
}

function hashFloat(x: number): number {
  if (Number.isInteger(x) && !Number.isSafeInteger(x)) return hashValue(BigInt(x));
  return Number.isFinite(x) ? hashNumber(x) : 1618033;
}

/**
 * A JavaScript value that stands for the key in a `Map`: equal keys have the same one. Undefined for keys that
 * must be hashed and compared (tuples, structs). Throws for a value that cannot be a key.
 */
export function mapKey(value: Value): unknown {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return value;
  }
  if (value === null) return null;
  if (value instanceof StarlarkFloat) return floatKey(value.value);
  // No string has a character above 255, so that bytes cannot be taken for one.
  if (value instanceof StarlarkBytes) return `\u0100${value.bytes}`;
  return identityKey(value);
}

function floatKey(x: number): number | bigint {
  if (Number.isInteger(x)) return Number.isSafeInteger(x) ? x + 0 : BigInt(x);
  return x;
}

function identityKey(value: StarlarkObject): unknown {
  if (value.hashedByIdentity) return value;
  hashValue(value);
  return undefined;
}
