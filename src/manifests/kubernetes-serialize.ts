import type { KubernetesObject } from "../model/plan.ts";
import { type GoType, type ScalarType, type StructType, typeOfKind } from "./kubernetes-types.ts";
import { canonicalQuantity } from "./quantity.ts";
import { type Dumpable, dumpYaml } from "./yaml-dump.ts";

type Json = { readonly [key: string]: Dumpable };

/**
 * Objects as YAML, as Tilt writes them anew: built-in kinds through their Go types, so that unknown fields and `status`
 * are gone and fields that Go never leaves out appear (`resources: {}`); others as they are.
 */
export function formatManifests(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => dumpYaml(toSpec(object))).join("\n---\n");
}

/** The object as Tilt would apply it: see formatManifests(). */
export function toSpec(object: KubernetesObject): Dumpable {
  const type = typeOfKind(object.apiVersion, object.kind);
  if (type === undefined) return object as Json;
  return structToJson(object as Json, type);
}

function structToJson(value: Json, type: StructType): Json {
  const result: { [key: string]: Dumpable } = {};
  for (const [name, field] of type.fields) {
    if (field.type.kind === "struct" && field.type.isStatus) continue;
    const member = value[name];
    if (field.omitEmpty && isEmpty(member, field.type)) continue;
    result[name] = toJson(member, field.type);
  }
  return result;
}

/** What jsoniter leaves out under `omitempty`: never a struct, but a zero time. */
function isEmpty(value: Dumpable, type: GoType): boolean {
  const absent = value === null || value === undefined;
  switch (type.kind) {
    case "pointer":
    case "any":
    case "time":
      return absent;
    case "struct":
    case "quantity":
    case "intstr":
    case "microtime":
      return false;
    case "slice":
    case "bytes":
      return absent || (value as string | unknown[]).length === 0;
    case "map":
      return absent || Object.keys(value as object).length === 0;
    default:
      return absent || value === "" || value === 0 || value === false;
  }
}

function toJson(value: Dumpable, type: GoType): Dumpable {
  const absent = value === null || value === undefined;
  switch (type.kind) {
    case "pointer":
      return absent ? null : toJson(value, type.element);
    case "struct":
      return structToJson(absent ? {} : (value as Json), type);
    case "slice":
      return absent ? null : (value as Dumpable[]).map((item) => toJson(item, type.element));
    case "map": {
      if (absent) return null;
      const members = Object.entries(value as Json);
      return Object.fromEntries(members.map(([key, item]) => [key, toJson(item, type.element)]));
    }
    default:
      return absent ? ZERO[type.kind] : scalarToJson(value, type);
  }
}

/** What Go writes for a value that is not there. */
const ZERO: Readonly<Record<ScalarType["kind"], Dumpable>> = {
  string: "",
  bool: false,
  int: 0,
  float: 0,
  bytes: null,
  time: null,
  microtime: null,
  quantity: "0",
  intstr: 0,
  any: null,
};

function scalarToJson(value: Dumpable, type: ScalarType): Dumpable {
  switch (type.kind) {
    case "quantity":
      return canonicalQuantity(String(value));
    case "bytes":
      return Buffer.from(value as string, "base64").toString("base64");
    case "time":
      return `${new Date(value as string).toISOString().slice(0, 19)}Z`;
    default:
      return value;
  }
}
