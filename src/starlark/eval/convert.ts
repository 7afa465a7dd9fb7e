import { StarlarkBytes } from "../values/bytes.ts";
import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { charge } from "../values/fuel.ts";
import { makeInt } from "../values/int.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { goTypeName } from "../values/repr.ts";
import { fromJsString, type StarlarkString, toJsString } from "../values/text.ts";
import { StarlarkObject, type Value } from "../values/value.ts";

/**
 * A Starlark value for JavaScript data: null and undefined are None, integral numbers ints, other numbers floats,
 * arrays lists, Maps and plain objects dicts. Starlark objects stay as they are. Throws for functions and symbols.
 */
export function toStarlark(js: unknown): Value {
  switch (typeof js) {
    case "undefined":
      return null;
    case "boolean":
      return js;
    case "number":
      return Number.isInteger(js) ? makeInt(js) : new StarlarkFloat(js);
    case "bigint":
      return makeInt(js);
    case "string":
      return fromJsString(js);
    case "object":
      return js === null ? null : objectToStarlark(js);
    default:
      throw new Error(`cannot convert a ${typeof js} to Starlark`);
  }
}

function objectToStarlark(js: object): Value {
  if (js instanceof StarlarkObject) return js;
  if (Array.isArray(js)) return new StarlarkList(js.map(toStarlark));
  const entries = js instanceof Map ? [...js] : Object.entries(js);
  return StarlarkDict.from(entries.map(([key, value]) => [toStarlark(key), toStarlark(value)]));
}

function dictToJs(dict: StarlarkDict): unknown {
  const entries = dict.entries();
  if (entries.some(([key]) => typeof key !== "string")) {
    return new Map(entries.map(([key, value]) => [fromStarlark(key), fromStarlark(value)]));
  }
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries)
    object[toJsString(key as StarlarkString)] = fromStarlark(value);
  return object;
}

/**
 * JavaScript data for a Starlark value: lists, tuples and sets are arrays, dicts null-prototype objects (Maps when a
 * key is not a string), bytes a Uint8Array. Throws a plain Error for functions and host values.
 */
export function fromStarlark(value: Value): unknown {
  charge(1);
  if (typeof value === "string") return toJsString(value);
  if (!(value instanceof StarlarkObject)) return value;
  if (value instanceof StarlarkFloat) return value.value;
  if (value instanceof StarlarkList || value instanceof StarlarkTuple)
    return value.elems.map(fromStarlark);
  if (value instanceof StarlarkSet) return value.elems().map(fromStarlark);
  if (value instanceof StarlarkDict) return dictToJs(value);
  if (value instanceof StarlarkBytes) return Uint8Array.from(value.bytes, (c) => c.charCodeAt(0));
  throw fault(`unable to convert from starlark value, unsupported type ${goTypeName(value)}`);
}
