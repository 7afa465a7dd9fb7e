import { compareUtf8 } from "../go-json-encode.ts";
import { resolvePlainScalar, type YamlScalar } from "../yaml-scalar.ts";
import type { MappingNode, ScalarNode, YamlNode } from "./parser.ts";
import { LibyamlError } from "./token.ts";

type Value = YamlScalar | Value[] | { [key: string]: Value };

/** goyaml's bounds on what aliases may add: 99 % of a small document, 10 % of a large one. */
const RATIO_RANGE_LOW = 400_000;
const RATIO_RANGE_HIGH = 4_000_000;
const TAG_PREFIX = "tag:yaml.org,2002:";
const RESOLVABLE = new Set(["", "str", "bool", "int", "float", "null", "timestamp"]);

/**
 * The value of a node as sigs.k8s.io/yaml makes it, aliases copied out, merges as goyaml v2 has them: what `<<` brings
 * replaces keys before it.
 * @throws LibyamlError
 */
export function decodeNode(node: YamlNode): Value {
  const decoder = new Decoder();
  const value = decoder.decode(node);
  if (decoder.sawNonFinite) checkFinite(value);
  return value;
}

/** JSON has no infinities; the complaint is about the first one in the order of the keys. */
function checkFinite(value: Value): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    const name = Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    throw new ConversionError(`json: unsupported value: ${name}`);
  }
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) value.forEach(checkFinite);
  else for (const key of Object.keys(value).sort(compareUtf8)) checkFinite(value[key]!);
}

class Decoder {
  readonly #open = new Set<YamlNode>();
  #count = 0;
  #aliasCount = 0;
  #aliasDepth = 0;
  sawNonFinite = false;

  decode(node: YamlNode): Value {
    this.#countNode();
    switch (node.kind) {
      case "alias":
        return this.#inAlias(node, () => this.decode(node.target));
      case "scalar":
        return this.#scalar(node);
      case "sequence":
        return node.items.map((item) => this.decode(item));
      case "mapping":
        return this.#mapping(node, {});
    }
  }

  #scalar(node: ScalarNode): YamlScalar {
    const value = decodeScalar(node);
    if (typeof value === "number" && !Number.isFinite(value)) this.sawNonFinite = true;
    return value;
  }

  #inAlias<T>(node: Extract<YamlNode, { kind: "alias" }>, run: () => T): T {
    if (this.#open.has(node)) {
      throw new LibyamlError(`anchor '${node.name}' value contains itself`);
    }
    this.#open.add(node);
    this.#aliasDepth += 1;
    const result = run();
    this.#aliasDepth -= 1;
    this.#open.delete(node);
    return result;
  }

  #mapping({ entries }: MappingNode, into: { [key: string]: Value }): { [key: string]: Value } {
    for (const [keyNode, valueNode] of entries) {
      if (isMerge(keyNode)) {
        this.#merge(valueNode, into);
        continue;
      }
      const decodedKey = this.decode(keyNode);
      if (typeof decodedKey === "object" && decodedKey !== null) {
        throw new LibyamlError(`invalid map key: ${formatGoSyntax(decodedKey)}`);
      }
      const value = this.decode(valueNode);
      const key = keyText(decodedKey, value);
      if (key === "__proto__") defineMember(into, key, value);
      else into[key] = value;
    }
    return into;
  }

  #merge(node: YamlNode, into: { [key: string]: Value }): void {
    if (node.kind === "sequence") {
      // Backwards, as earlier ones take precedence.
      for (const item of [...node.items].reverse()) this.#mergeOne(item, into);
    } else this.#mergeOne(node, into);
  }

  #mergeOne(node: YamlNode, into: { [key: string]: Value }): void {
    this.#countNode();
    if (node.kind === "mapping") this.#mapping(node, into);
    else if (node.kind === "alias" && node.target.kind === "mapping") {
      const { target } = node;
      this.#inAlias(node, () => {
        this.#countNode();
        this.#mapping(target, into);
      });
    } else {
      throw new LibyamlError("map merge requires map or sequence of maps as the value");
    }
  }

  #countNode(): void {
    this.#count += 1;
    if (this.#aliasDepth > 0) this.#aliasCount += 1;
    if (this.#aliasCount <= 100 || this.#count <= 1000) return;
    if (this.#aliasCount / this.#count > allowedRatio(this.#count)) {
      throw new LibyamlError("document contains excessive aliasing");
    }
  }
}

/** Assigning to `__proto__` would not make a member of it. */
function defineMember(into: { [key: string]: Value }, key: string, value: Value): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function allowedRatio(count: number): number {
  if (count <= RATIO_RANGE_LOW) return 0.99;
  if (count >= RATIO_RANGE_HIGH) return 0.1;
  return 0.99 - 0.89 * ((count - RATIO_RANGE_LOW) / (RATIO_RANGE_HIGH - RATIO_RANGE_LOW));
}

function isMerge(node: YamlNode): boolean {
  return (
    node.kind === "scalar" &&
    node.value === "<<" &&
    (node.isImplicit || node.tag === `${TAG_PREFIX}merge`)
  );
}

function decodeScalar({ value, tag, isImplicit }: ScalarNode): YamlScalar {
  if (tag === "" && !isImplicit) return value;
  const short = tag.startsWith(TAG_PREFIX) ? tag.slice(TAG_PREFIX.length) : undefined;
  if (short === "binary") return decodeBinary(value);
  if (tag !== "" && (short === undefined || !RESOLVABLE.has(short))) return value;
  if (short === "str") return value;
  const resolved = resolvePlainScalar(value);
  if (short === undefined) return resolved;
  const type = typeOf(resolved);
  if (short === type || (short === "float" && type === "int")) return resolved;
  if (short === "timestamp" && type === "str") return resolved;
  throw new LibyamlError(`cannot decode !!${type} \`${value}\` as a !!${short}`);
}

function decodeBinary(text: string): string {
  const compact = text.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    throw new LibyamlError("!!binary value contains invalid base64 data");
  }
  return Buffer.from(compact, "base64").toString();
}

function typeOf(value: YamlScalar): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  return typeof value === "bigint" || Number.isInteger(value) ? "int" : "float";
}

/** A key as JSON can have it. */
function keyText(key: YamlScalar, value: Value): string {
  if (typeof key === "string") return key;
  if (key === null) {
    const shown = value === null ? "<nil>" : formatGoSyntax(value);
    throw new ConversionError(
      `unsupported map key of type: %!s(<nil>), key: <nil>, value: ${shown}`,
    );
  }
  if (typeof key === "number" && !Number.isInteger(key)) return floatKey(key);
  return String(key);
}

/** A complaint of the way from YAML to JSON, which does not start with `yaml:`. */
class ConversionError extends LibyamlError {
  constructor(message: string) {
    super(message);
    this.message = message;
  }
}

/** Go's `%#v` of what goyaml decodes to. */
function formatGoSyntax(value: Value): string {
  if (value === null) return "interface {}(nil)";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(formatGoSyntax).join(", ")}}`;
  if (typeof value !== "object") return String(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${formatGoSyntax(item)}`,
  );
  return `map[interface {}]interface {}{${members.join(", ")}}`;
}

function floatKey(key: number): string {
  if (Number.isNaN(key)) return ".nan";
  if (!Number.isFinite(key)) return key > 0 ? ".inf" : "-.inf";
  return String(Math.fround(key) === key ? key : Number(Math.fround(key).toPrecision(8)));
}
