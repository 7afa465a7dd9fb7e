import { compareKeys } from "./yaml-key-order.ts";
import {
  escapeCharacter,
  isBreak,
  isSimpleKey,
  type ScalarStyle,
  styleOf,
} from "./yaml-scalar-style.ts";

/** What can be written as YAML: what JSON holds. `undefined` members are left out. */
export type Dumpable =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly Dumpable[]
  | { readonly [key: string]: Dumpable };

const BEST_WIDTH = 80;
const INDENT = 2;

/**
 * A value as YAML, byte for byte as sigs.k8s.io/yaml marshals it: keys in goyaml's natural order, sequences at the
 * indentation of their key, lines folded after 80 columns, strings quoted where YAML 1.1 would read something else.
 */
export function dumpYaml(value: Dumpable): string {
  const emitter = new Emitter();
  emitter.node(value, "root");
  emitter.indent();
  return emitter.text();
}

type Context = "root" | "sequence" | "mapping";

/** The part of libyaml's emitter that block style needs; the names are libyaml's. */
class Emitter {
  readonly #out: string[] = [];
  #indent = -1;
  #column = 0;
  #whitespace = true;
  #indention = true;

  text(): string {
    return this.#out.join("");
  }

  node(value: Dumpable, context: Context): void {
    if (typeof value === "string") this.#scalar(value, styleOf(value, false), false);
    else if (Array.isArray(value)) this.#sequence(value, context);
    else if (typeof value === "object" && value !== null)
      this.#mapping(value as { [key: string]: Dumpable });
    else this.#scalar(formatPrimitive(value as null | boolean | number | bigint), "plain", false);
  }

  #sequence(items: readonly Dumpable[], context: Context): void {
    if (items.length === 0) {
      this.#indicators("[", "]");
      return;
    }
    const outer = this.#indent;
    this.#increaseIndent(context === "mapping" && !this.#indention);
    for (const item of items) {
      this.indent();
      this.#indicator("-", true, true);
      this.node(item === undefined ? null : item, "sequence");
    }
    this.#indent = outer;
  }

  #mapping(members: { readonly [key: string]: Dumpable }): void {
    const keys = Object.keys(members).filter((key) => members[key] !== undefined);
    if (keys.length === 0) {
      this.#indicators("{", "}");
      return;
    }
    const outer = this.#indent;
    this.#increaseIndent(false);
    for (const key of keys.sort(compareKeys)) {
      this.indent();
      if (isSimpleKey(key)) {
        this.#scalar(key, styleOf(key, true), true);
        this.#indicator(":", false, false);
      } else {
        this.#indicator("?", true, true);
        this.#scalar(key, styleOf(key, false), false);
        this.indent();
        this.#indicator(":", true, true);
      }
      this.node(members[key], "mapping");
    }
    this.#indent = outer;
  }

  #increaseIndent(indentless: boolean): void {
    if (this.#indent < 0) this.#indent = 0;
    else if (!indentless) this.#indent += INDENT;
  }

  #scalar(text: string, style: ScalarStyle, simpleKey: boolean): void {
    const outer = this.#indent;
    this.#indent = outer < 0 ? INDENT : outer + INDENT;
    const foldable = !simpleKey;
    if (style === "plain") this.#plain(text, foldable);
    else if (style === "single") this.#singleQuoted(text, foldable);
    else if (style === "double") this.#doubleQuoted(text, foldable);
    else this.#literal(text);
    this.#indent = outer;
  }

  #plain(text: string, foldable: boolean): void {
    if (!this.#whitespace) this.#put(" ");
    this.#words(text, foldable, (at) => text[at + 1] !== " ");
    this.#whitespace = false;
    this.#indention = false;
  }

  #singleQuoted(text: string, foldable: boolean): void {
    this.#indicator("'", true, false);
    let breaks = false;
    let spaces = false;
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at]!;
      if (char === " ") {
        const fold =
          foldable && !spaces && this.#column > BEST_WIDTH && at > 0 && at < text.length - 1;
        if (fold && text[at + 1] !== " ") this.indent();
        else this.#put(char);
        spaces = true;
      } else if (isBreak(char)) {
        if (!breaks && char === "\n") this.#break("\n");
        this.#break(char);
        breaks = true;
      } else {
        if (breaks) this.indent();
        this.#put(char === "'" ? "''" : char);
        this.#indention = false;
        spaces = false;
        breaks = false;
      }
    }
    this.#indicator("'", false, false);
    this.#whitespace = false;
    this.#indention = false;
  }

  #doubleQuoted(text: string, foldable: boolean): void {
    this.#indicator('"', true, false);
    let spaces = false;
    const characters = [...text];
    for (const [at, char] of characters.entries()) {
      const escaped = escapeCharacter(char);
      if (escaped !== undefined) {
        this.#put(escaped);
        spaces = false;
      } else if (char === " ") {
        const inside = at > 0 && at < characters.length - 1;
        if (foldable && !spaces && this.#column > BEST_WIDTH && inside) {
          this.indent();
          if (characters[at + 1] === " ") this.#put("\\");
        } else this.#put(char);
        spaces = true;
      } else {
        this.#put(char);
        spaces = false;
      }
    }
    this.#indicator('"', false, false);
    this.#whitespace = false;
    this.#indention = false;
  }

  /** Text with folds at single spaces, where the line is full. */
  #words(text: string, foldable: boolean, mayFoldAt: (at: number) => boolean): void {
    let spaces = false;
    let from = 0;
    for (let at = text.indexOf(" "); foldable && at >= 0; at = text.indexOf(" ", at + 1)) {
      spaces = at > 0 && text[at - 1] === " ";
      this.#put(text.slice(from, at));
      if (!spaces && this.#column > BEST_WIDTH && mayFoldAt(at)) this.indent();
      else this.#put(" ");
      from = at + 1;
    }
    this.#put(text.slice(from));
  }

  #literal(text: string): void {
    const hint = text.startsWith(" ") || isBreak(text[0]!) ? String(INDENT) : "";
    this.#indicator(`|${hint}${chompingHint(text)}`, true, false);
    this.#break("\n");
    for (const line of text.split(/(?<=[\n\u2028\u2029])/)) {
      const end = line.at(-1)!;
      const content = isBreak(end) ? line.slice(0, -1) : line;
      if (content !== "") {
        this.indent();
        this.#put(content);
        this.#indention = false;
      }
      if (isBreak(end)) this.#break(end);
    }
    this.#whitespace = this.#column === 0;
  }

  #indicators(open: string, close: string): void {
    this.#indicator(open, true, false);
    this.#indicator(close, false, false);
  }

  #indicator(text: string, needsWhitespace: boolean, isIndention: boolean): void {
    if (needsWhitespace && !this.#whitespace) this.#put(" ");
    this.#put(text);
    this.#whitespace = false;
    this.#indention &&= isIndention;
  }

  /** A new line, unless nothing but indentation is on this one, and its indentation. */
  indent(): void {
    const indent = Math.max(this.#indent, 0);
    const column = this.#column;
    if (!this.#indention || column > indent || (column === indent && !this.#whitespace)) {
      this.#break("\n");
    }
    if (this.#column < indent) this.#put(" ".repeat(indent - this.#column));
    this.#whitespace = true;
    this.#indention = true;
  }

  #put(text: string): void {
    this.#out.push(text);
    this.#column += text.length;
  }

  #break(char: string): void {
    this.#out.push(char);
    this.#column = 0;
    this.#indention = true;
  }
}

/** How many line breaks a block scalar keeps at its end: one (no hint), none, or all. */
function chompingHint(text: string): string {
  if (!isBreak(text.at(-1)!)) return "-";
  return text.length === 1 || isBreak(text.at(-2)!) ? "+" : "";
}

const MAX_UINT64 = 2 ** 64;

function formatPrimitive(value: null | boolean | number | bigint): string {
  if (typeof value !== "number") return String(value);
  const isInteger = Number.isInteger(value) && value > -MAX_UINT64 / 2 && value < MAX_UINT64;
  return isInteger ? BigInt(value).toString() : formatGoFloat(value);
}

/** Go's `strconv.FormatFloat(value, 'g', -1, 64)`, with YAML's names for what is no number. */
function formatGoFloat(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 21 && power < 6) return String(value);
  const sign = power < 0 ? "-" : "+";
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}
