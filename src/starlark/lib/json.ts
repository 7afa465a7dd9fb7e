import { types, unpack, unpackPositional } from "../eval/unpack.ts";
import { attrNames, findAttr } from "../universe/attributes.ts";
import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { formatFloat, StarlarkFloat } from "../values/float.ts";
import { charge } from "../values/fuel.ts";
import { makeBuiltin } from "../values/function.ts";
import { formatInt, isInt } from "../values/int.ts";
import { quote } from "../values/quote.ts";
import { typeName } from "../values/repr.ts";
import { StarlarkModule } from "../values/struct.ts";
import { ascii, fromJsString, type StarlarkString, toJsString } from "../values/text.ts";
import { decodeRune, encodeRune } from "../values/unicode.ts";
import type { Kwargs, StarlarkObject, Value } from "../values/value.ts";
import { decodeJson } from "./json-decode.ts";

const ESCAPES = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

/** A string as Go's encoding/json writes it; printable ASCII is only quoted. */
function encodeText(text: string): string {
  if (/^[\x20-\x7f]*$/.test(text)) return quote(text, false);
  let out = '"';
  for (let at = 0; at < text.length; ) {
    const { rune, size } = decodeRune(text, at);
    const char = text.slice(at, at + size);
    if (rune === 0xfffd && size === 1) out += "\\ufffd";
    else if (ESCAPES.has(char)) out += ESCAPES.get(char)!;
    else if (
      rune < 0x20 ||
      char === "<" ||
      char === ">" ||
      char === "&" ||
      rune === 0x2028 ||
      rune === 0x2029
    ) {
      out += `\\u${rune.toString(16).padStart(4, "0")}`;
    } else out += encodeRune(rune);
    at += size;
  }
  return `${out}"`;
}

class Encoder {
  readonly #path: StarlarkObject[] = [];

  encode(x: Value): string {
    charge(1);
    if (x === null) return "null";
    if (typeof x === "boolean") return x ? "true" : "false";
    if (isInt(x)) return formatInt(x);
    if (typeof x === "string") return encodeText(x);
    if (x instanceof StarlarkFloat) {
      const text = formatFloat(x.value, "g");
      if (!Number.isFinite(x.value)) throw fault(`cannot encode non-finite float ${text}`);
      return text;
    }
    if (this.#path.includes(x)) throw fault("cycle in JSON structure");
    this.#path.push(x);
    const text = this.#encodeCompound(x);
    this.#path.pop();
    return text;
  }

  #encodeCompound(x: StarlarkObject): string {
    if (x instanceof StarlarkDict) return this.#encodeDict(x);
    if (x.iterate) {
      const elems = [...x.iterate()].map((elem, i) =>
        this.#within(`at ${x.typeName} index ${i}`, elem),
      );
      return `[${elems.join(",")}]`;
    }
    if (x.attrNames) {
      const fields = attrNames(x).map((name) => {
        const text = this.#within(`in field .${name}`, findAttr(x, name)!);
        return `${encodeText(fromJsString(name))}:${text}`;
      });
      return `{${fields.join(",")}}`;
    }
    throw fault(`cannot encode ${x.typeName} as JSON`);
  }

  #encodeDict(dict: StarlarkDict): string {
    const entries = dict.entries();
    for (const [key] of entries) {
      if (typeof key !== "string") throw fault(`dict has ${typeName(key)} key, want string`);
    }
    entries.sort(([a], [b]) => (a! < b! ? -1 : 1));
    const fields = entries.map(([key, value]) => {
      const name = key as StarlarkString;
      return `${encodeText(name)}:${this.#within(`in dict key ${quote(name, false)}`, value)}`;
    });
    return `{${fields.join(",")}}`;
  }

  #within(where: string, x: Value): string {
    try {
      return this.encode(x);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw new Error(`${toJsString(where)}: ${(error as Error).message}`);
    }
  }
}

function encode(name: string, args: readonly Value[], kwargs: Kwargs): StarlarkString {
  const [x] = unpackPositional(name, args, kwargs, 1, [types.value]);
  try {
    return ascii(new Encoder().encode(x!));
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** Throws Go's error for text that is not JSON. */
function checkJson(text: string): void {
  try {
    JSON.parse(toJsString(text));
  } catch {
    const char = text.trimStart()[0];
    if (char === undefined) throw fault("unexpected end of JSON input");
    throw fault(`invalid character '${char}' looking for beginning of value`);
  }
}

/** JSON text with line breaks and indentation, as Go's json.Indent has it. */
function indentJson(text: string, prefix: string, unit: string): string {
  checkJson(text);
  let depth = 0;
  const newline = () => `\n${prefix}${unit.repeat(depth)}`;
  return text.replace(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|\s+|[[{\]},:]/gs, (token) => {
    if (token.startsWith('"')) return token;
    if (/^\s/.test(token)) return "";
    if (/^[[{]\s*[\]}]$/.test(token)) return token.replace(/\s/g, "");
    switch (token) {
      case "[":
      case "{":
        depth++;
        return token + newline();
      case "]":
      case "}":
        depth--;
        return newline() + token;
      case ",":
        return token + newline();
      default:
        return ": ";
    }
  });
}

function indent(name: string, text: StarlarkString, kwargs: Kwargs): StarlarkString {
  const options = unpack(name, [], kwargs, {
    "prefix?": types.byteString,
    "indent?": types.byteString,
  });
  try {
    return ascii(indentJson(text, options.prefix ?? "", options.indent ?? "\t"));
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** starlark-go's json module: encode, encode_indent, decode and indent. */
export function makeJsonModule(): StarlarkModule {
  return new StarlarkModule("json", {
    encode: makeBuiltin("json.encode", (_thread, args, kwargs) =>
      encode("json.encode", args, kwargs),
    ),
    encode_indent: makeBuiltin("json.encode_indent", (_thread, args, kwargs) => {
      return indent("json.encode_indent", encode("json.encode_indent", args, []), kwargs);
    }),
    decode: makeBuiltin("json.decode", (_thread, args, kwargs) => {
      const spec = { x: types.byteString, "default?": types.value } as const;
      const given = unpack("json.decode", args, kwargs, spec);
      if (args.length < 1) throw fault("json.decode: unexpected keyword argument x");
      try {
        return decodeJson(given.x);
      } catch (error) {
        if (given.default !== undefined) return given.default;
        throw new Error(`json.decode: ${(error as Error).message}`);
      }
    }),
    indent: makeBuiltin("json.indent", (_thread, args, kwargs) => {
      const [text] = unpackPositional("json.indent", args, [], 1, [types.byteString]);
      return indent("json.indent", text!, kwargs);
    }),
  });
}
