import { isDeepStrictEqual } from "node:util";
import {
  fromJsString,
  type Spec,
  StarlarkDict,
  types,
  unpack,
  type Value,
} from "../../starlark/index.ts";
import { kinds } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { goQuote } from "../go/quote.ts";
import {
  CONSTRUCTOR_PARAMETERS,
  fieldsOf,
  OBJECT_TYPES,
  type ObjectType,
  type ObjectTypeName,
  VALUE_TYPES,
  type ValueTypeName,
} from "../v1alpha1/types.ts";
import { validate } from "../v1alpha1/validate.ts";
import { ApiValue, argumentUnpacker, type Plain, type PlainObject } from "../v1alpha1/values.ts";

/** v1alpha1.*: checked and recorded. Only extensions and their repositories matter to a run that ends. */
export function v1alpha1Builtins(evaluation: Evaluation): BuiltinTable {
  const table: Record<string, (call: Call) => Value> = {};
  for (const name of Object.keys(OBJECT_TYPES) as ObjectTypeName[]) {
    table[`v1alpha1.${name}`] = registering(evaluation, name, OBJECT_TYPES[name]);
  }
  for (const name of Object.keys(VALUE_TYPES) as ValueTypeName[]) {
    table[`v1alpha1.${name}`] = constructing(evaluation, name);
  }
  return table;
}

function registering(
  evaluation: Evaluation,
  typeName: ObjectTypeName,
  type: ObjectType,
): (call: Call) => Value {
  const spec: Record<string, (value: Value) => Plain> = {
    name: types.string,
    "labels?": kinds.textMap,
    "annotations?": kinds.textMap,
  };
  for (const [name, argument] of Object.entries(type.arguments)) {
    spec[`${name}?`] = argumentUnpacker(evaluation, argument);
  }
  return ({ name: fnName, args, kwargs }) => {
    const given = unpack(fnName, args, kwargs, spec as Spec) as Record<string, Plain | undefined>;
    const object = withoutAbsent(given);
    validate(typeName, object);
    register(evaluation, typeName, type.resource, object);
    return null;
  };
}

function withoutAbsent(given: Record<string, Plain | undefined>): PlainObject {
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, Plain] => entry[1] !== undefined),
  );
}

function register(
  evaluation: Evaluation,
  typeName: ObjectTypeName,
  resource: string,
  object: PlainObject,
): void {
  const objects = evaluation.apiObjects[typeName];
  const name = String(object.name);
  const existing = objects.get(name);
  if (existing !== undefined && !isDeepStrictEqual(existing, object)) {
    throw new Error(`${resource} ${goQuote(name)} already registered`);
  }
  objects.set(name, object);
}

function constructing(evaluation: Evaluation, typeName: ValueTypeName): (call: Call) => Value {
  const parameters = CONSTRUCTOR_PARAMETERS[typeName] ?? Object.keys(fieldsOf(typeName));
  const spec = Object.fromEntries(parameters.map((name) => [`${name}?`, types.value]));
  return (call) => {
    const given = call.unpack(spec as Spec) as Record<string, Value | undefined>;
    const dict = new StarlarkDict();
    for (const name of parameters) {
      const value = given[name];
      if (value !== undefined) dict.set(fromJsString(name), value);
    }
    return ApiValue.of(evaluation, typeName, dict);
  };
}
