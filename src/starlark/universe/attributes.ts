import { nearestName } from "../spell.ts";
import { StarlarkBytes } from "../values/bytes.ts";
import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault, NoSuchAttributeError } from "../values/fault.ts";
import { StarlarkList } from "../values/list.ts";
import { typeName } from "../values/repr.ts";
import { StarlarkObject, type Value } from "../values/value.ts";
import { dictMethods } from "./dict-methods.ts";
import { listMethods } from "./list-methods.ts";
import type { Method } from "./method.ts";
import { hiddenSetMethods, setMethods } from "./set-methods.ts";
import { bytesMethods, stringMethods } from "./string-methods.ts";

/** A method of any type: the receiver is of the type in whose table it was found. */
export type AnyMethod = Method<Value>;

function tableOf(value: Value): ReadonlyMap<string, Method<never>> | undefined {
  if (typeof value === "string") return stringMethods;
  if (value instanceof StarlarkList) return listMethods;
  if (value instanceof StarlarkDict) return dictMethods;
  if (value instanceof StarlarkSet) return setMethods;
  if (value instanceof StarlarkBytes) return bytesMethods;
  return undefined;
}

/** The method of that name that a value's type has. */
export function findMethod(value: Value, name: string): AnyMethod | undefined {
  const found = tableOf(value)?.get(name);
  const hidden = value instanceof StarlarkSet ? hiddenSetMethods.get(name) : undefined;
  return (found ?? hidden) as AnyMethod | undefined;
}

/** `x.name`, or undefined when there is none. */
export function findAttr(value: Value, name: string): Value | undefined {
  const method = findMethod(value, name);
  if (method !== undefined) return method.bind(value);
  return value instanceof StarlarkObject ? value.getAttr?.(name) : undefined;
}

/** The names for `dir(x)`, sorted. */
export function attrNames(value: Value): string[] {
  const table = tableOf(value);
  if (table !== undefined) return [...table.keys()].sort();
  return value instanceof StarlarkObject ? (value.attrNames?.() ?? []).slice().sort() : [];
}

/** `x.name`; an error with a suggestion when there is none. */
export function getAttr(value: Value, name: string): Value {
  const attr = findAttr(value, name);
  if (attr !== undefined) return attr;
  const custom = value instanceof StarlarkObject ? value.noSuchAttr?.(name) : undefined;
  const message = custom ?? `${typeName(value)} has no .${name} field or method`;
  throw new Error(`${message}${suggestion(name, value)}`);
}

function suggestion(name: string, value: Value): string {
  const near = nearestName(name, attrNames(value));
  return near === undefined ? "" : ` (did you mean .${near}?)`;
}

/** `x.name = attr`. */
export function setAttr(value: Value, name: string, attr: Value): void {
  if (!(value instanceof StarlarkObject) || !value.setAttr) {
    throw fault(`can't assign to .${name} field of ${typeName(value)}`);
  }
  try {
    value.setAttr(name, attr);
  } catch (error) {
    if (!(error instanceof NoSuchAttributeError)) throw error;
    throw new Error(`${error.message}${suggestion(name, value)}`);
  }
}
