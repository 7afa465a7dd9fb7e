import { decodeGoJson, type GoJson, GoJsonError } from "../../manifests/go-json.ts";
import { encodeGoJson } from "../../manifests/go-json-encode.ts";
import { parseYamlStream, type YamlValue } from "../../manifests/yaml.ts";
import { type Dumpable, dumpYaml } from "../../manifests/yaml-dump.ts";
import {
  charge,
  fromJsString,
  goTypeName,
  isInt,
  isString,
  makeInt,
  reprText,
  StarlarkDict,
  StarlarkFloat,
  StarlarkList,
  toJsString,
  types,
  type Value,
} from "../../starlark/index.ts";
import { kinds, labelled, pathTypes } from "../arguments.ts";
import type { BuiltinTable } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { isNotExist } from "../go/os-error.ts";
import { readRecorded } from "../read-text.ts";
import { blobOf } from "../values/blob.ts";

const SEVERAL_DOCUMENTS =
  "expected a yaml document but found a yaml stream (documents separated by `---`). use decode_yaml_stream instead to decode a yaml stream";

/** JSON and YAML, read and written as Go does. */
export function dataBuiltins(evaluation: Evaluation): BuiltinTable {
  const { path } = pathTypes(evaluation);
  /** A file's text, or undefined when it is missing and a default is given. */
  const read = (file: string, hasDefault: boolean): string | undefined => {
    try {
      return readRecorded(evaluation, file).toString("utf8");
    } catch (error) {
      if (hasDefault && isNotExist(error)) return undefined;
      throw error;
    }
  };
  return {
    read_json(call) {
      const { paths: file, default: fallback } = call.unpack({
        paths: path,
        "default?": types.value,
      });
      const text = read(file, fallback !== undefined);
      return text === undefined ? fallback! : decodeJson(text, file);
    },
    decode_json: (call) => decodeJson(call.unpack({ json: kinds.text }).json, ""),
    encode_json(call) {
      const plain = toPlain(call.unpack({ obj: types.value }).obj);
      return fromJsString(labelled("error serializing object to json", () => encodeGoJson(plain)));
    },

    read_yaml(call) {
      const { paths: file, default: fallback } = call.unpack({
        paths: types.string,
        "default?": types.value,
      });
      const place = evaluation.absolute(file);
      const text = read(place, fallback !== undefined);
      return text === undefined ? fallback! : single(decodeYaml(text, { name: file, place }));
    },
    read_yaml_stream(call) {
      const { paths: file, default: fallback } = call.unpack({
        paths: types.string,
        "default?": types.list,
      });
      const place = evaluation.absolute(file);
      const text = read(place, fallback !== undefined);
      if (text === undefined) return fallback!;
      return new StarlarkList(decodeYaml(text, { name: file, place }));
    },
    decode_yaml: (call) => single(decodeYaml(call.unpack({ yaml: kinds.text }).yaml)),
    decode_yaml_stream: (call) =>
      new StarlarkList(decodeYaml(call.unpack({ yaml: kinds.text }).yaml)),
    encode_yaml(call) {
      return blobOf(encodeYaml(call.unpack({ obj: types.value }).obj), "encode_yaml");
    },
    encode_yaml_stream(call) {
      const { objs } = call.unpack({ objs: types.list });
      const documents = [...(objs as StarlarkList).elems].map(encodeYaml);
      return blobOf(documents.join("---\n"), "encode_yaml_stream");
    },
  };
}

function from(source: string): string {
  return source === "" ? "" : ` from ${source}`;
}

function decodeJson(text: string, source: string): Value {
  try {
    return toValue(decodeGoJson(text));
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    // Tilt reads numbers as text first: one that is neither float nor int64 fails when it is converted.
    const step = error.message.startsWith("strconv.")
      ? "converting JSON to Starlark"
      : "parsing JSON";
    throw new Error(`error ${step}${from(source)}: ${error.message}`, { cause: error });
  }
}

/** A file's name as the Tiltfile wrote it, which Tilt's messages show, and its absolute path. */
function decodeYaml(
  text: string,
  { name, place }: { name: string; place: string } = { name: "", place: "decode_yaml" },
): Value[] {
  return labelled(`error parsing YAML${from(name)}`, () =>
    parseYamlStream(text, { file: place }).map(({ value }) => wholeNumbersAsInts(value)),
  ).map(toValue);
}

function single(documents: Value[]): Value {
  if (documents.length > 1) throw new Error(SEVERAL_DOCUMENTS);
  return documents[0] ?? null;
}

function encodeYaml(value: Value): string {
  const plain = toPlain(value);
  return labelled("error serializing object to yaml", () => dumpYaml(plain));
}

/** Doubles from here on are no int64. */
const INT64_END = 2 ** 63;

/**
 * The same with YAML's numbers, which are JSON's: a whole one is an int however it was written.
 * @throws Error for a number that JSON does not have
 */
function wholeNumbersAsInts(data: YamlValue): GoJson {
  if (typeof data === "number") {
    if (!Number.isFinite(data)) {
      const name = Number.isNaN(data) ? "NaN" : data > 0 ? "+Inf" : "-Inf";
      throw new Error(`error converting YAML to JSON: json: unsupported value: ${name}`);
    }
    return Number.isInteger(data) && Math.abs(data) < INT64_END ? BigInt(data) : data;
  }
  if (Array.isArray(data)) return data.map(wholeNumbersAsInts);
  if (data === null || typeof data !== "object") return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, wholeNumbersAsInts(value)]),
  );
}

/** Decoded data as a Starlark value: a bigint is an int, a number a float. */
export function toValue(data: GoJson): Value {
  if (data === null || typeof data === "boolean") return data;
  if (typeof data === "string") return fromJsString(data);
  if (typeof data === "bigint") return makeInt(data);
  if (typeof data === "number") return new StarlarkFloat(data);
  if (Array.isArray(data)) return new StarlarkList(data.map(toValue));
  return StarlarkDict.from(
    Object.entries(data).map(([key, value]) => [fromJsString(key), toValue(value)]),
  );
}

/** A Starlark value as plain data: only what JSON can hold. */
function toPlain(value: Value): Dumpable {
  return labelled("error converting object from starlark", () => plain(value));
}

/** A value that holds itself has no end; no data that anybody means goes near this. */
const MAX_NESTING = 1_000;

function plain(value: Value, depth = 0): Dumpable {
  charge(1);
  if (depth > MAX_NESTING) throw new Error("value holds itself, or nests too deep");
  if (value === null || typeof value === "boolean") return value;
  if (isString(value)) return toJsString(value);
  if (isInt(value)) return BigInt.asIntN(64, BigInt(value));
  if (value instanceof StarlarkFloat) return value.value;
  if (value instanceof StarlarkList) return [...value.elems].map((elem) => plain(elem, depth + 1));
  if (value instanceof StarlarkDict) {
    const object: Record<string, Dumpable> = Object.create(null);
    for (const [key, item] of value.entries()) object[plainKey(key)] = plain(item, depth + 1);
    return object;
  }
  throw new Error(`unable to convert from starlark value, unsupported type ${goTypeName(value)}`);
}

function plainKey(key: Value): string {
  if (isString(key)) return toJsString(key);
  const converted = plain(key);
  throw new Error(
    `only string keys are supported in maps. found key '${reprText(key)}' of type ${goKind(converted)}`,
  );
}

/** Go's %T of plain data. */
function goKind(data: Dumpable): string {
  if (data === null || data === undefined) return "<nil>";
  if (typeof data === "boolean") return "bool";
  if (typeof data === "number") return "float64";
  return typeof data === "bigint" ? "int64" : "[]interface {}";
}
