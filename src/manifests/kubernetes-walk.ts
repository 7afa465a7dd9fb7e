import type { KubernetesObject } from "../model/plan.ts";
import { type GoType, type StructType, typeOfKind } from "./kubernetes-types.ts";

/** A part of an object that has a Go type of its own. It may be changed in place. */
export type JsonStruct = Record<string, unknown>;

/**
 * The parts of a built-in object with a certain Go type (`v1.Container`), at any depth, in the order of Go's fields.
 * Nothing is looked for inside of a part that was found. Custom resources have no types, so nothing is found in them.
 */
export function partsOfType(object: KubernetesObject, typeName: string): JsonStruct[] {
  const type = typeOfKind(object.apiVersion, object.kind);
  const parts: JsonStruct[] = [];
  if (type !== undefined) collect(object, type, typeName, parts);
  return parts;
}

function collect(value: unknown, type: GoType, typeName: string, parts: JsonStruct[]): void {
  if (value === null || value === undefined) return;
  if (type.kind === "pointer") collect(value, type.element, typeName, parts);
  else if (type.kind === "slice") {
    for (const item of value as unknown[]) collect(item, type.element, typeName, parts);
  } else if (type.kind === "struct") {
    if (type.name === typeName) parts.push(value as JsonStruct);
    else collectFields(value as JsonStruct, type, typeName, parts);
  }
}

function collectFields(
  value: JsonStruct,
  type: StructType,
  typeName: string,
  parts: JsonStruct[],
): void {
  for (const [name, fieldType] of fieldsLeadingTo(type, typeName)) {
    collect(value[name], fieldType, typeName, parts);
  }
}

const leadingFields = new Map<string, Map<StructType, (readonly [name: string, type: GoType])[]>>();

/** The fields below which a type can be found: most parts of an object need no look. */
function fieldsLeadingTo(
  type: StructType,
  typeName: string,
): readonly (readonly [name: string, type: GoType])[] {
  let known = leadingFields.get(typeName);
  if (known === undefined) {
    known = new Map();
    leadingFields.set(typeName, known);
  }
  let fields = known.get(type);
  if (fields === undefined) {
    fields = [...type.fields]
      .map(([name, field]) => [name, field.type] as const)
      .filter(([, fieldType]) => leadsTo(fieldType, typeName));
    known.set(type, fields);
  }
  return fields;
}

function leadsTo(type: GoType, typeName: string, seen = new Set<GoType>()): boolean {
  if (type.kind === "pointer" || type.kind === "slice") {
    return leadsTo(type.element, typeName, seen);
  }
  if (type.kind !== "struct" || seen.has(type)) return false;
  if (type.name === typeName) return true;
  seen.add(type);
  return [...type.fields.values()].some((field) => leadsTo(field.type, typeName, seen));
}
