import table from "./kubernetes-types.json" with { type: "json" };

/** A Go type of the Kubernetes API, as far as its JSON form goes. `name` is what Go calls it in errors. */
export type GoType = ScalarType | PointerType | SliceType | MapType | StructType;

export interface ScalarType {
  readonly kind:
    | "string"
    | "bool"
    | "int"
    | "float"
    | "bytes"
    | "time"
    | "microtime"
    | "quantity"
    | "intstr"
    | "any";
  readonly name: string;
  /** For integers: the range. */
  readonly min?: bigint;
  readonly max?: bigint;
}

export interface PointerType {
  readonly kind: "pointer";
  readonly name: string;
  readonly element: GoType;
}

export interface SliceType {
  readonly kind: "slice";
  readonly name: string;
  readonly element: GoType;
}

export interface MapType {
  readonly kind: "map";
  readonly name: string;
  readonly element: GoType;
}

export interface StructType {
  readonly kind: "struct";
  /** With its package: `v1.PodSpec`. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, GoField>;
  /** It is the status of some kind: never applied. */
  readonly isStatus: boolean;
}

export interface GoField {
  readonly type: GoType;
  readonly omitEmpty: boolean;
}

interface StructRow {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, type: string, omitEmpty: number])[];
  readonly status?: boolean;
}

const KINDS = table.kinds as Readonly<Record<string, number>>;
const STRUCTS = table.structs as unknown as readonly StructRow[];
const structs = new Map<number, StructType>();

/** The type of a built-in kind (client-go's scheme); undefined for custom resources. */
export function typeOfKind(apiVersion: string, kind: string): StructType | undefined {
  const index = KINDS[`${apiVersion} ${kind}`];
  return index === undefined ? undefined : structAt(index);
}

/** Types refer to each other in circles, so each is made when first asked for and its fields later. */
function structAt(index: number): StructType {
  const known = structs.get(index);
  if (known !== undefined) return known;
  const row = STRUCTS[index]!;
  const fields = new Map<string, GoField>();
  const type: StructType = {
    kind: "struct",
    name: row.name,
    fields,
    isStatus: row.status ?? false,
  };
  structs.set(index, type);
  for (const [name, text, omitEmpty] of row.fields) {
    fields.set(name, { type: parseType(text), omitEmpty: omitEmpty === 1 });
  }
  return type;
}

/** Reads `*[#12]=v1.Name`: the notation of scripts/kubernetes-types. */
function parseType(text: string): GoType {
  if (text.startsWith("*")) {
    const element = parseType(text.slice(1));
    return { kind: "pointer", name: `*${element.name}`, element };
  }
  if (text.startsWith("#")) return structAt(Number(text.slice(1)));
  const end = text.startsWith("[") ? "]" : text.startsWith("{") ? "}" : undefined;
  if (end === undefined) return parseScalar(text);
  const close = text.lastIndexOf(end);
  const element = parseType(text.slice(1, close));
  const named = text.slice(close + 2);
  return end === "]"
    ? { kind: "slice", name: named || `[]${element.name}`, element }
    : { kind: "map", name: named || `map[string]${element.name}`, element };
}

function parseScalar(text: string): ScalarType {
  const equals = text.indexOf("=");
  const basic = equals < 0 ? text : text.slice(0, equals);
  const name = equals < 0 ? basic : text.slice(equals + 1);
  const integer = /^(u?)int(8|16|32|64|)$/.exec(basic);
  if (integer !== null) {
    const bits = BigInt(integer[2] || "64");
    const unsigned = integer[1] === "u";
    return {
      kind: "int",
      name,
      min: unsigned ? 0n : -(2n ** (bits - 1n)),
      max: 2n ** (unsigned ? bits : bits - 1n) - 1n,
    };
  }
  if (basic.startsWith("float")) return { kind: "float", name };
  if (basic === "bytes") return { kind: "bytes", name: equals < 0 ? "[]uint8" : name };
  return { kind: basic as ScalarType["kind"], name: SPECIAL_NAMES[basic] ?? name };
}

/** What Go calls the types with a JSON form of their own. */
const SPECIAL_NAMES: Readonly<Record<string, string>> = {
  time: "v1.Time",
  microtime: "v1.MicroTime",
  quantity: "resource.Quantity",
  intstr: "intstr.IntOrString",
};
