import { formatText } from "../format/format.ts";
import { indices } from "../values/access.ts";
import { ElementView, type StarlarkBytes, TextView } from "../values/bytes.ts";
import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { MAX_TEXT, typeName } from "../values/repr.ts";
import { ascii, type StarlarkString } from "../values/text.ts";
import { decodeRune, encodeRune, runes } from "../values/unicode.ts";
import type { Value } from "../values/value.ts";
import {
  type Method,
  method,
  methodTable,
  named,
  variadicMethod,
  wantInt,
  wantIterable,
  wantString,
} from "./method.ts";
import * as Case from "./string-case.ts";
import { partition, split, splitlines, strip } from "./string-split.ts";

function window(
  name: string,
  text: string,
  start?: Value,
  end?: Value,
): { part: string; from: number } {
  if (start === undefined) return { part: text, from: 0 };
  const [from, to] = named(name, () => indices(start, end, text.length));
  return { part: from < to ? text.slice(from, to) : "", from };
}

function find(
  name: "find" | "rfind" | "index" | "rindex",
  text: StarlarkString,
  sub: Value,
  start?: Value,
  end?: Value,
) {
  const wanted = wantString(name, 1, sub);
  const { part, from } = window(name, text, start, end);
  const at = name === "find" || name === "index" ? part.indexOf(wanted) : part.lastIndexOf(wanted);
  if (at >= 0) return at + from;
  if (name === "index" || name === "rindex") throw fault(`${name}: substring not found`);
  return -1;
}

function count(text: StarlarkString, sub: Value, start?: Value, end?: Value): Value {
  const wanted = wantString("count", 1, sub);
  const { part } = window("count", text, start, end);
  if (wanted === "") return runes(part).length + 1;
  let n = 0;
  for (let at = part.indexOf(wanted); at >= 0; at = part.indexOf(wanted, at + wanted.length)) n++;
  return n;
}

function hasAffix(
  name: "startswith" | "endswith",
  text: StarlarkString,
  affix: Value,
  start?: Value,
  end?: Value,
) {
  const { part } = window(name, text, start, end);
  const has = (x: string) => (name === "startswith" ? part.startsWith(x) : part.endsWith(x));
  if (typeof affix === "string") return has(affix);
  if (!(affix instanceof StarlarkTuple)) {
    throw fault(`${name}: got ${typeName(affix)}, want string or tuple of string`);
  }
  for (const [i, option] of affix.elems.entries()) {
    if (typeof option !== "string") {
      throw fault(`${name}: want string, got ${typeName(option)}, for element ${i}`);
    }
    if (has(option)) return true;
  }
  return false;
}

/** The strings to join, which must be strings; a list's own array is not copied. */
function stringsOf(value: Value): readonly StarlarkString[] {
  const iterable = wantIterable("join", 1, value);
  const parts = iterable instanceof StarlarkList ? iterable.elems : [...iterable.iterate!()];
  for (let i = 0; i < parts.length; i++) {
    if (typeof parts[i] !== "string") {
      throw fault(`join: in list, want string, got ${typeName(parts[i]!)}`);
    }
  }
  return parts as readonly StarlarkString[];
}

function join(separator: StarlarkString, value: Value): Value {
  const parts = stringsOf(value);
  let length = separator.length * parts.length;
  for (let i = 0; i < parts.length; i++) length += parts[i]!.length;
  if (length > MAX_TEXT) throw fault("join: excessive text length");
  charge((parts.length + length) >> 5);
  return ascii(parts.join(separator));
}

/** Puts text before each of the first code points, and at the end. */
function replaceEmpty(text: string, replacement: string, limit: number): string {
  let out = "";
  let at = 0;
  for (let n = 0; n < limit; n++) {
    out += replacement;
    if (at === text.length) return out;
    const { size } = decodeRune(text, at);
    out += text.slice(at, at + size);
    at += size;
  }
  return out + text.slice(at);
}

function replace(text: StarlarkString, old: Value, by: Value, limit?: Value): Value {
  const wanted = wantString("replace", 1, old);
  const replacement = wantString("replace", 2, by);
  const max = limit === undefined ? -1 : wantInt("replace", 3, limit);
  if (wanted === "") return ascii(replaceEmpty(text, replacement, max < 0 ? text.length + 1 : max));
  if (!text.includes(wanted)) return text;
  const parts = text.split(wanted);
  if (text.length + parts.length * replacement.length > MAX_TEXT)
    throw fault("replace: excessive text length");
  charge(text.length >> 6);
  if (max < 0 || max >= parts.length - 1) return ascii(parts.join(replacement));
  return ascii([parts.slice(0, max + 1).join(replacement), ...parts.slice(max + 1)].join(wanted));
}

function removeAffix(
  name: "removeprefix" | "removesuffix",
  text: StarlarkString,
  affix: Value,
): Value {
  const unwanted = wantString(name, 1, affix);
  if (name === "removeprefix")
    return text.startsWith(unwanted) ? ascii(text.slice(unwanted.length)) : text;
  return text.endsWith(unwanted) ? ascii(text.slice(0, text.length - unwanted.length)) : text;
}

function codepoint(text: string, at: number): { value: Value; size: number } {
  const { rune, size } = decodeRune(text, at);
  return { value: ascii(encodeRune(rune)), size };
}

function elements(name: "elems" | "elem_ords"): Method<StarlarkString> {
  const elementOf =
    name === "elems"
      ? (text: string, at: number) => ({ value: ascii(text[at]!), size: 1 })
      : (text: string, at: number) => ({ value: text.charCodeAt(at), size: 1 });
  return method(
    name,
    0,
    0,
    (text) =>
      new ElementView({ typeName: "string.elems", text, method: name, binary: false, elementOf }),
  );
}

function codepoints(name: "codepoints" | "codepoint_ords"): Method<StarlarkString> {
  const elementOf =
    name === "codepoints"
      ? codepoint
      : (text: string, at: number) => {
          const { rune, size } = decodeRune(text, at);
          return { value: rune, size };
        };
  return method(
    name,
    0,
    0,
    (text) =>
      new TextView({ typeName: "string.codepoints", text, method: name, binary: false, elementOf }),
  );
}

function plain(name: string, body: (text: StarlarkString) => Value): Method<StarlarkString> {
  return method(name, 0, 0, (text: StarlarkString) => body(text));
}

const methods: Method<StarlarkString>[] = [
  plain("capitalize", Case.capitalize),
  codepoints("codepoint_ords"),
  codepoints("codepoints"),
  method("count", 1, 3, (text, sub, start, end) => count(text, sub!, start, end)),
  elements("elem_ords"),
  elements("elems"),
  method("endswith", 1, 3, (text, affix, start, end) =>
    hasAffix("endswith", text, affix!, start, end),
  ),
  method("find", 1, 3, (text, sub, start, end) => find("find", text, sub!, start, end)),
  variadicMethod("format", formatText),
  method("index", 1, 3, (text, sub, start, end) => find("index", text, sub!, start, end)),
  plain("isalnum", Case.isalnum),
  plain("isalpha", Case.isalpha),
  plain("isdigit", Case.isdigit),
  plain("islower", Case.islower),
  plain("isspace", Case.isspace),
  plain("istitle", Case.istitle),
  plain("isupper", Case.isupper),
  method("join", 1, 1, (text, value) => join(text, value!)),
  plain("lower", Case.lower),
  method("lstrip", 0, 1, (text, cutset) => strip("lstrip", text, cutset)),
  method("partition", 1, 1, (text, by) => partition("partition", text, by!)),
  method("removeprefix", 1, 1, (text, affix) => removeAffix("removeprefix", text, affix!)),
  method("removesuffix", 1, 1, (text, affix) => removeAffix("removesuffix", text, affix!)),
  method("replace", 2, 3, (text, old, by, limit) => replace(text, old!, by!, limit)),
  method("rfind", 1, 3, (text, sub, start, end) => find("rfind", text, sub!, start, end)),
  method("rindex", 1, 3, (text, sub, start, end) => find("rindex", text, sub!, start, end)),
  method("rpartition", 1, 1, (text, by) => partition("rpartition", text, by!)),
  method("rsplit", 0, 2, (text, separator, max) => split("rsplit", text, separator, max)),
  method("rstrip", 0, 1, (text, cutset) => strip("rstrip", text, cutset)),
  method("split", 0, 2, (text, separator, max) => split("split", text, separator, max)),
  method("splitlines", 0, 1, splitlines),
  method("startswith", 1, 3, (text, affix, start, end) =>
    hasAffix("startswith", text, affix!, start, end),
  ),
  method("strip", 0, 1, (text, cutset) => strip("strip", text, cutset)),
  plain("title", Case.title),
  plain("upper", Case.upper),
];

/** The methods of strings. */
export const stringMethods = methodTable(methods);

/** The methods of bytes. */
export const bytesMethods = methodTable<StarlarkBytes>([
  method(
    "elems",
    0,
    0,
    (bytes: StarlarkBytes) =>
      new TextView({
        typeName: "bytes.elems",
        text: bytes.bytes,
        method: "elems",
        binary: true,
        elementOf: (text, at) => ({ value: text.charCodeAt(at), size: 1 }),
      }),
  ),
]);
