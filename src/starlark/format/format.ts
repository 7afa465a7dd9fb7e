import { StarlarkBytes } from "../values/bytes.ts";
import { fault } from "../values/fault.ts";
import { quote } from "../values/quote.ts";
import { repr, str } from "../values/repr.ts";
import { ascii, type StarlarkString } from "../values/text.ts";
import type { Kwargs, Value } from "../values/value.ts";

/** The parts of a replacement field `{name!conversion:spec}`. */
interface Field {
  readonly name: string;
  readonly conversion: string;
  readonly spec: string;
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function parseField(field: string): Field {
  const [name, rest] = cut(field, "!");
  if (rest === undefined) {
    const [bare, spec] = cut(field, ":");
    return { name: bare, conversion: "s", spec: spec ?? "" };
  }
  const [conversion, spec] = cut(rest, ":");
  return { name, conversion, spec: spec ?? "" };
}

/** Text outside fields: `}}` stands for `}`. */
function unescapeBraces(literal: string): string {
  if (!literal.includes("}")) return literal;
  return literal.replace(/\}(\}?)/g, (_, second: string) => {
    if (second === "") throw fault("format: single '}' in format");
    return "}";
  });
}

function unknownName(name: string): Error {
  if (name.includes(".")) {
    return fault(`format: attribute syntax x.y is not supported in replacement fields: ${name}`);
  }
  if (name.includes("[")) {
    return fault(`format: element syntax a[i] is not supported in replacement fields: ${name}`);
  }
  if (name.includes("{")) return fault("format: nested replacement fields not supported");
  return fault(`format: keyword ${name} not found`);
}

/** Finds the arguments of fields, which are numbered all by themselves or not at all. */
class Arguments {
  readonly #args: readonly Value[];
  readonly #kwargs: Kwargs;
  #numbering: "automatic" | "manual" | undefined = undefined;
  #next = 0;

  constructor(args: readonly Value[], kwargs: Kwargs) {
    this.#args = args;
    this.#kwargs = kwargs;
  }

  find(name: string): Value {
    if (name === "") return this.#numbered(this.#next++, "automatic");
    if (/^[0-9]+$/.test(name)) return this.#numbered(Number(name), "manual");
    for (const [key, value] of this.#kwargs) if (key === name) return value;
    throw unknownName(name);
  }

  #numbered(index: number, numbering: "automatic" | "manual"): Value {
    if (this.#numbering !== undefined && this.#numbering !== numbering) {
      const switched =
        numbering === "automatic"
          ? "manual field specification to automatic field numbering"
          : "automatic field numbering to manual field specification";
      throw fault(`format: cannot switch from ${switched}`);
    }
    this.#numbering = numbering;
    if (index >= this.#args.length) throw fault("format: tuple index out of range");
    return this.#args[index]!;
  }
}

function replaceField(text: string, args: Arguments): string {
  const { name, conversion, spec } = parseField(text);
  const arg = args.find(name);
  if (spec !== "") throw fault(`format spec features not supported in replacement fields: ${spec}`);
  if (conversion === "s") return arg instanceof StarlarkBytes ? repr(arg) : str(arg);
  if (conversion === "r") return repr(arg);
  throw fault(`format: unknown conversion ${quote(conversion, false)}`);
}

/** `format.format(*args, **kwargs)`. */
export function formatText(
  format: StarlarkString,
  args: readonly Value[],
  kwargs: Kwargs,
): StarlarkString {
  const found = new Arguments(args, kwargs);
  let out = "";
  let at = 0;
  for (;;) {
    const open = format.indexOf("{", at);
    if (open < 0) return ascii(out + unescapeBraces(format.slice(at)));
    out += unescapeBraces(format.slice(at, open));
    if (format[open + 1] === "{") {
      out += "{";
      at = open + 2;
      continue;
    }
    const close = format.indexOf("}", open);
    if (close < 0) throw fault("format: unmatched '{' in format");
    out += replaceField(format.slice(open + 1, close), found);
    at = close + 1;
  }
}
