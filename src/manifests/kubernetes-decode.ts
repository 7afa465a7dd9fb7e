import type { KubernetesObject } from "../model/plan.ts";
import { compareUtf8 } from "./go-json-encode.ts";
import { checkBase64, checkQuantity, checkTime, formatJsonNumber } from "./kubernetes-scalars.ts";
import { type GoType, type ScalarType, type StructType, typeOfKind } from "./kubernetes-types.ts";
import { ManifestError } from "./manifest-error.ts";
import type { YamlValue } from "./yaml.ts";

type JsonObject = { [key: string]: YamlValue };

/**
 * The objects of a YAML document: a `v1` List gives its items. Built-in kinds must fit their Go types, as in Tilt
 * (tiltfile-api.md §3); others are taken as they are.
 * @throws ManifestError with Tilt's wording: `decoding Secret "x": …`
 */
export function decodeManifest(value: YamlValue): KubernetesObject[] {
  if (value === null) return [];
  const { apiVersion, kind, type } = interpretKind(value);
  const object = value as JsonObject;
  if (type !== undefined) {
    const message = typeMismatch(object, type);
    if (message !== undefined) throw decodingError(object, kind, message);
  }
  if (apiVersion === "v1" && kind === "List") {
    return (object.items as YamlValue[] | null | undefined)?.flatMap(decodeManifest) ?? [];
  }
  return [withMetadata(object)];
}

/** What a document says it is. Errors as apimachinery's and Tilt's decoders word them. */
function interpretKind(value: YamlValue): {
  apiVersion: string;
  kind: string;
  type: StructType | undefined;
} {
  if (typeof value !== "object" || Array.isArray(value) || value === null) {
    const type = `struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw new ManifestError(
      `${META_ERROR}json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type ${type}`,
    );
  }
  const kind = readMetaField(value, "kind", "");
  const apiVersion = readMetaField(value, "apiVersion", kind);
  if (kind === "") throw new ManifestError(`Object 'Kind' is missing in '${compactJson(value)}'`);
  if (apiVersion === "") {
    throw decodingError(value, kind, `Object 'apiVersion' is missing in '${compactJson(value)}'`);
  }
  if (apiVersion.split("/").length > 2) {
    throw new ManifestError(`unexpected GroupVersion string: ${apiVersion}`);
  }
  return { apiVersion, kind, type: typeOfKind(apiVersion, kind) };
}

const META_ERROR = "couldn't get version/kind; json parse error: ";

function readMetaField(object: JsonObject, field: "apiVersion" | "kind", kind: string): string {
  const value = object[field] ?? "";
  if (typeof value === "string") return value;
  const message = `${META_ERROR}json: cannot unmarshal ${jsonTypeOf(value)} into Go struct field .${field} of type string`;
  throw kind === "" ? new ManifestError(message) : decodingError(object, kind, message);
}

function decodingError(object: JsonObject, kind: string, message: string): ManifestError {
  const metadata = object.metadata;
  const name = isObject(metadata) ? metadata.name : undefined;
  const quoted = JSON.stringify(typeof name === "string" ? name : "");
  return new ManifestError(`decoding ${kind} ${quoted}: ${message}`);
}

/** `metadata` is always there for those who read the object; names that are no text do not count. */
function withMetadata(object: JsonObject): KubernetesObject {
  if (isObject(object.metadata)) return object as unknown as KubernetesObject;
  return { ...object, metadata: {} } as unknown as KubernetesObject;
}

/** What encoding/json says of the first value that does not fit a Go type; undefined when all do. */
export function typeMismatch(value: YamlValue, type: StructType): string | undefined {
  if (fits(value, type)) return undefined;
  const finder = new MismatchFinder();
  try {
    finder.visit(value, type);
  } catch (error) {
    if (error instanceof AbortDecoding) return error.message;
    throw error;
  }
  return finder.first;
}

/** The common case, fast: nothing is wrong. */
function fits(value: YamlValue, type: GoType): boolean {
  if (value === null) return true;
  switch (type.kind) {
    case "pointer":
      return fits(value, type.element);
    case "struct":
      if (!isObject(value)) return false;
      for (const key in value) {
        const field = type.fields.get(key);
        if (field !== undefined && !fits(value[key]!, field.type)) return false;
      }
      return true;
    case "slice":
      return Array.isArray(value) && value.every((item) => fits(item, type.element));
    case "map":
      if (!isObject(value)) return false;
      for (const key in value) if (!fits(value[key]!, type.element)) return false;
      return true;
    default:
      return scalarProblem(value, type) === undefined;
  }
}

/** An error of a type's own reader ends decoding at once and hides what was wrong before. */
class AbortDecoding extends Error {}

/** Walks a value as encoding/json does, keys in order, to find the error that it reports. */
class MismatchFinder {
  first: string | undefined;
  readonly #path: string[] = [];
  #struct = "";

  visit(value: YamlValue, type: GoType): void {
    if (value === null) return;
    if (type.kind === "pointer") this.visit(value, type.element);
    else if (type.kind === "struct" && isObject(value)) this.#visitStruct(value, type);
    else if (type.kind === "slice" && Array.isArray(value)) {
      for (const item of value) this.visit(item, type.element);
    } else if (type.kind === "map" && isObject(value)) {
      for (const key of sortedKeys(value)) this.visit(value[key]!, type.element);
    } else if (type.kind === "struct" || type.kind === "slice" || type.kind === "map") {
      this.#save(this.#placed(jsonTypeOf(value), type.name));
    } else this.#visitScalar(value, type);
  }

  #visitStruct(value: JsonObject, type: StructType): void {
    const outer = this.#struct;
    for (const key of sortedKeys(value)) {
      const field = type.fields.get(key);
      if (field === undefined) continue;
      this.#path.push(key);
      this.#struct = type.name.slice(type.name.indexOf(".") + 1);
      this.visit(value[key]!, field.type);
      this.#path.pop();
      this.#struct = outer;
    }
  }

  #visitScalar(value: YamlValue, type: ScalarType): void {
    const problem = scalarProblem(value, type);
    if (problem === undefined) return;
    const message =
      "text" in problem ? problem.text : this.#placed(problem.value, problem.type ?? type.name);
    if (problem.aborts) throw new AbortDecoding(message);
    this.#save(message);
  }

  #save(message: string): void {
    this.first ??= message;
  }

  #placed(value: string, type: string): string {
    const field = `${this.#struct}.${this.#path.join(".")}`;
    const target = this.#path.length === 0 ? "Go value" : `Go struct field ${field}`;
    return `json: cannot unmarshal ${value} into ${target} of type ${type}`;
  }
}

/** What is wrong with a scalar: a text of its own, or a JSON value that a Go type cannot take. */
type ScalarProblem = { readonly aborts?: boolean } & (
  | { readonly text: string }
  | { readonly value: string; readonly type?: string }
);

function scalarProblem(value: YamlValue, type: ScalarType): ScalarProblem | undefined {
  switch (type.kind) {
    case "any":
      return undefined;
    case "string":
      return typeof value === "string" ? undefined : { value: jsonTypeOf(value) };
    case "bool":
      return typeof value === "boolean" ? undefined : { value: jsonTypeOf(value) };
    case "int":
      return integerProblem(value, type);
    case "float":
      return isNumber(value) ? undefined : { value: jsonTypeOf(value) };
    case "bytes":
      return bytesProblem(value);
    case "intstr":
      return typeof value === "string" ? undefined : abort(integerProblem(value, INT32));
    case "quantity":
      return abort(textProblem(checkQuantity(quantityText(value))));
    default:
      if (typeof value !== "string") {
        return { value: jsonTypeOf(value), type: "string", aborts: true };
      }
      return abort(textProblem(TEXT_CHECKS[type.kind](value)));
  }
}

const INT32: ScalarType = { kind: "int", name: "int32", min: -(2n ** 31n), max: 2n ** 31n - 1n };

const TEXT_CHECKS = {
  time: (text: string) => checkTime(text, "2006-01-02T15:04:05Z07:00"),
  microtime: (text: string) => checkTime(text, "2006-01-02T15:04:05.000000Z07:00"),
};

function textProblem(text: string | undefined): ScalarProblem | undefined {
  return text === undefined ? undefined : { text };
}

function abort(problem: ScalarProblem | undefined): ScalarProblem | undefined {
  if (problem === undefined) return undefined;
  return "value" in problem
    ? { value: problem.value, type: problem.type ?? "int32", aborts: true }
    : { ...problem, aborts: true };
}

function integerProblem(value: YamlValue, { min, max }: ScalarType): ScalarProblem | undefined {
  if (!isNumber(value)) return { value: jsonTypeOf(value) };
  const text = formatJsonNumber(value);
  if (!/^-?[0-9]+$/.test(text)) return { value: `number ${text}` };
  const integer = BigInt(text);
  return integer >= min! && integer <= max! ? undefined : { value: `number ${text}` };
}

function bytesProblem(value: YamlValue): ScalarProblem | undefined {
  if (typeof value === "string") return textProblem(checkBase64(value));
  return { value: jsonTypeOf(value) };
}

/** The JSON text that Quantity's reader is given, without its quotes. */
function quantityText(value: YamlValue): string {
  if (typeof value === "string") return value.trim();
  return isNumber(value) ? formatJsonNumber(value) : compactJson(value);
}

function isNumber(value: YamlValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function isObject(value: YamlValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sortedKeys(object: JsonObject): string[] {
  return Object.keys(object).sort(compareUtf8);
}

/** The word that encoding/json has for a kind of value. */
function jsonTypeOf(value: YamlValue): string {
  if (Array.isArray(value)) return "array";
  if (isNumber(value)) return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** A value as Go marshals it on one line. */
function compactJson(value: YamlValue): string {
  if (Array.isArray(value)) return `[${value.map(compactJson).join(",")}]`;
  if (isNumber(value)) return formatJsonNumber(value);
  if (!isObject(value)) {
    return JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  }
  const members = sortedKeys(value).map((key) => `${compactJson(key)}:${compactJson(value[key]!)}`);
  return `{${members.join(",")}}`;
}
