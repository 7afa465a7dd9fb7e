import {
  fromStarlark,
  isInt,
  isString,
  StarlarkDict,
  StarlarkList,
  toJsString,
  typeName,
  type Value,
} from "../../starlark/index.ts";
import { duration, labelled, pathTypes, textMap, texts } from "../arguments.ts";
import type { Evaluation } from "../evaluation.ts";
import { type ArgumentType, type FieldType, fieldsOf, type ValueTypeName } from "./types.ts";

/** Plain data that a v1alpha1 value holds. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };
export type PlainObject = { readonly [key: string]: Plain };

/** A dict that has been checked against a type of the API. */
export class ApiValue extends StarlarkDict {
  apiType: ValueTypeName = "exec_action";
  content: PlainObject = {};

  /** @throws Error in Tilt's words when the dict does not fit */
  static of(evaluation: Evaluation, apiType: ValueTypeName, dict: StarlarkDict): ApiValue {
    const value = new ApiValue();
    value.apiType = apiType;
    value.content = unpackFields(evaluation, apiType, dict);
    for (const [key, item] of dict.entries()) value.set(key, item);
    value.freeze();
    return value;
  }
}

/**
 * A value of a type of the API as plain data.
 * @throws Error in Tilt's words when it does not fit
 */
function unpackObject(evaluation: Evaluation, apiType: ValueTypeName, value: Value): PlainObject {
  if (value instanceof ApiValue && value.apiType === apiType) return value.content;
  if (!(value instanceof StarlarkDict) || value instanceof ApiValue) {
    throw new Error(`expected dict, actual: ${typeName(value)}`);
  }
  const content = unpackFields(evaluation, apiType, value);
  value.freeze();
  return content;
}

function unpackFields(
  evaluation: Evaluation,
  apiType: ValueTypeName,
  dict: StarlarkDict,
): PlainObject {
  const fields = fieldsOf(apiType);
  const content: Record<string, Plain> = {};
  for (const [key, item] of dict.entries()) {
    if (!isString(key)) throw new Error(`key must be string. Got: ${typeName(key)}`);
    const name = toJsString(key);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) throw new Error(`Unexpected attribute name: ${name}`);
    content[name] = unpackField(evaluation, name, field, item);
  }
  return content;
}

function unpackField(evaluation: Evaluation, name: string, field: FieldType, value: Value): Plain {
  switch (field.type) {
    case "string":
      if (!isString(value)) throw new Error(`Expected string, actual: ${typeName(value)}`);
      return toJsString(value);
    case "bool":
      if (typeof value !== "boolean") throw new Error(`Expected bool, got: ${typeName(value)}`);
      return value;
    case "int":
      return labelled("Expected int, got", () => int32(value));
    default:
      return labelled(`unpacking ${name}`, () => unpackCompound(evaluation, field, value));
  }
}

function unpackCompound(evaluation: Evaluation, field: FieldType, value: Value): Plain {
  switch (field.type) {
    case "object":
      return unpackObject(evaluation, field.of, value);
    case "list":
      return unpackList(evaluation, field.of, value);
    case "strings":
      return texts(value);
    case "path":
      return pathTypes(evaluation).path(value);
    case "stringMap":
      return textMap(value);
    default:
      return fromStarlark(value) as Plain;
  }
}

function unpackList(evaluation: Evaluation, apiType: ValueTypeName, value: Value): Plain[] {
  if (!(value instanceof StarlarkList)) {
    throw new Error(`expected list, actual: ${typeName(value)}`);
  }
  const items = [...value.elems].map((item, index) =>
    labelled(`at index ${index}`, () => unpackObject(evaluation, apiType, item)),
  );
  value.freeze();
  return items;
}

/** starlark-go's AsInt32, with its messages. */
function int32(value: Value): number {
  if (!isInt(value)) throw new Error(`got ${typeName(value)}, want int`);
  if (BigInt.asIntN(32, BigInt(value)) !== BigInt(value)) throw new Error(`${value} out of range`);
  return Number(value);
}

/** The unpacker of an argument of a registering function. */
export function argumentUnpacker(
  evaluation: Evaluation,
  type: ArgumentType,
): (value: Value) => Plain {
  switch (type.type) {
    case "strictString":
      return (value) => {
        if (isString(value)) return toJsString(value);
        throw new Error(`got ${typeName(value)}, want string`);
      };
    case "strictBool":
      return (value) => {
        if (typeof value === "boolean") return value;
        throw new Error(`got ${typeName(value)}, want bool`);
      };
    case "paths":
      return (value) => pathTypes(evaluation).paths(value);
    case "duration":
      return (value) => duration(value);
    default:
      return (value) => unpackCompound(evaluation, type, value);
  }
}
