import { decodeGoJson } from "../manifests/go-json.ts";
import {
  fromJsString,
  reprText,
  StarlarkDict,
  StarlarkFloat,
  StarlarkList,
  type Value,
} from "../starlark/index.ts";
import { goQuote } from "./go/quote.ts";

/** What plain JSON decodes to, numbers as floats. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A setting that a Tiltfile defined, as it takes values from the file and the command line. */
export interface ConfigSetting {
  /** pflag's name of the type, for the usage text. */
  readonly typeName: string;
  /** pflag's text of the value before any is set. */
  readonly defaultText: string;
  /** What a bare `--name` stands for; undefined when a value must follow. */
  readonly impliedValue?: string;
  readonly isSet: boolean;
  /** Takes a value of the command line. Throws in Tilt's words. */
  set(text: string): void;
  /** Takes a value of tilt_config.json; null leaves the zero value. Throws in Tilt's words. */
  setJson(json: Json): void;
  value(): Value;
}

export type SettingKind = "string" | "string_list" | "bool" | "object";

export function newSetting(kind: SettingKind): ConfigSetting {
  switch (kind) {
    case "string":
      return new StringSetting();
    case "string_list":
      return new StringListSetting();
    case "bool":
      return new BoolSetting();
    case "object":
      return new ObjectSetting();
  }
}

class StringSetting implements ConfigSetting {
  readonly typeName = "string";
  readonly defaultText = "";
  #value: string | undefined;

  get isSet(): boolean {
    return this.#value !== undefined;
  }

  set(text: string): void {
    if (this.isSet) throw onlyOnce("string", text);
    this.#value = text;
  }

  setJson(json: Json): void {
    if (json === null) return;
    if (typeof json !== "string") throw new Error(`expected string, found ${goJsonType(json)}`);
    this.#value = json;
  }

  value(): Value {
    return fromJsString(this.#value ?? "");
  }
}

class StringListSetting implements ConfigSetting {
  readonly typeName = "list[string]";
  readonly defaultText = "";
  readonly #values: string[] = [];
  isSet = false;

  set(text: string): void {
    this.#values.push(text);
    this.isSet = true;
  }

  setJson(json: Json): void {
    if (json === null) return;
    if (!Array.isArray(json)) throw new Error("expected array");
    for (const item of json) {
      if (typeof item !== "string") throw new Error(`expected string, got ${goJsonType(item)}`);
      this.#values.push(item);
    }
    this.isSet = true;
  }

  value(): Value {
    return new StarlarkList(this.#values.map(fromJsString));
  }
}

const TRUE_WORDS = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE_WORDS = ["0", "f", "F", "false", "FALSE", "False"];

class BoolSetting implements ConfigSetting {
  readonly typeName = "bool";
  readonly defaultText = "false";
  readonly impliedValue = "true";
  #value: boolean | undefined;

  get isSet(): boolean {
    return this.#value !== undefined;
  }

  set(text: string): void {
    if (this.isSet) throw onlyOnce("bool", text);
    if (![...TRUE_WORDS, ...FALSE_WORDS].includes(text)) {
      throw new Error(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
    }
    this.#value = TRUE_WORDS.includes(text);
  }

  setJson(json: Json): void {
    if (json === null) return;
    if (typeof json !== "boolean") throw new Error(`expected bool, found ${goJsonType(json)}`);
    this.#value = json;
  }

  value(): Value {
    return this.#value ?? false;
  }
}

class ObjectSetting implements ConfigSetting {
  readonly typeName = "object";
  readonly defaultText = "None";
  #value: Value | undefined;

  get isSet(): boolean {
    return this.#value !== undefined;
  }

  set(text: string): void {
    if (this.#value !== undefined) throw onlyOnce("object", reprText(this.#value));
    try {
      this.#value = fromJson(JSON.parse(text) as Json);
    } catch {
      throw new Error(`decoding JSON, got ${goQuote(text)}: ${jsonMistake(text)}`);
    }
  }

  setJson(json: Json): void {
    if (json === null) return;
    this.#value = fromJson(json);
  }

  value(): Value {
    return this.#value ?? null;
  }
}

function onlyOnce(kind: string, last: string): Error {
  return new Error(
    `${kind} settings can only be specified once. multiple values found (last value: ${last})`,
  );
}

function fromJson(json: Json): Value {
  if (json === null || typeof json === "boolean") return json;
  if (typeof json === "number") return new StarlarkFloat(json);
  if (typeof json === "string") return fromJsString(json);
  if (Array.isArray(json)) return new StarlarkList(json.map(fromJson));
  return StarlarkDict.from(
    Object.entries(json).map(([key, value]) => [fromJsString(key), fromJson(value)]),
  );
}

/** Go's %T of decoded JSON. */
function goJsonType(json: Json): string {
  if (json === null) return "<nil>";
  if (typeof json === "boolean") return "bool";
  if (typeof json === "number") return "float64";
  if (typeof json === "string") return "string";
  return Array.isArray(json) ? "[]interface {}" : "map[string]interface {}";
}

/** What Go's json.Unmarshal says of text that is no JSON. */
function jsonMistake(text: string): string {
  try {
    decodeGoJson(text);
    return "invalid JSON";
  } catch (error) {
    const { message } = error as Error;
    // Unmarshal words two things unlike the stream decoder.
    if (message === "EOF" || message === "unexpected EOF") return "unexpected end of JSON input";
    return message === "found multiple JSON values"
      ? "invalid character after top-level value"
      : message;
  }
}
