/** The JSONPath of kubectl (client-go's util/jsonpath), parsed: a template of texts and `{…}` actions. */
export type JsonPathNode =
  | { readonly type: "list"; readonly nodes: readonly JsonPathNode[] }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "identifier"; readonly name: string }
  | {
      readonly type: "slice";
      readonly start: SliceBound;
      readonly end: SliceBound;
      readonly step: SliceBound;
    }
  | {
      readonly type: "filter";
      readonly left: JsonPathNode;
      readonly right: JsonPathNode;
      readonly operator: string;
    }
  | { readonly type: "number"; readonly value: number; readonly isInteger: boolean }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "wildcard" }
  | { readonly type: "recursive" }
  | { readonly type: "union"; readonly nodes: readonly JsonPathNode[] };

export interface SliceBound {
  readonly value: number;
  readonly known: boolean;
  /** `[1]` is the slice `[1:2]`: the end was not written. */
  readonly derived?: boolean;
}

/** A text that is no JSONPath, or a path that an object does not have; worded as client-go does. */
export class JsonPathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JsonPathError";
  }
}

const TERMINATORS = new Set([" ", "\t", "\r", "\n", ".", ",", "[", "]", "$", "@", "{", "}"]);
const UNKNOWN: SliceBound = { value: 0, known: false };

/**
 * Parses a JSONPath template.
 * @throws JsonPathError
 */
export function parseJsonPath(text: string): readonly JsonPathNode[] {
  return new Parser(text).parse();
}

/** What is inside of the braces of `{text}`. */
function parseAction(text: string): JsonPathNode {
  return parseJsonPath(`{${text}}`)[0]!;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonPathNode[] {
    const root: JsonPathNode[] = [];
    while (this.#at < this.#text.length) {
      const brace = this.#text.indexOf("{", this.#at);
      const end = brace < 0 ? this.#text.length : brace;
      if (end > this.#at) root.push({ type: "text", text: this.#text.slice(this.#at, end) });
      this.#at = end;
      if (brace >= 0) root.push(this.#action());
    }
    return root;
  }

  #action(): JsonPathNode {
    this.#at += 1;
    const nodes: JsonPathNode[] = [];
    while (!this.#text.startsWith("}", this.#at)) this.#element(nodes);
    this.#at += 1;
    return { type: "list", nodes };
  }

  #element(nodes: JsonPathNode[]): void {
    const rest = this.#text.slice(this.#at);
    const char = [...rest.slice(0, 2)][0];
    if (rest.startsWith("[?(")) nodes.push(this.#filter());
    else if (rest.startsWith("..")) this.#recursive(nodes);
    else if (char === undefined || char === "\r" || char === "\n") {
      throw new JsonPathError("unclosed action");
    } else if (char === " " || char === "@" || char === "$") this.#at += 1;
    else if (char === "[") nodes.push(...this.#array());
    else if (char === '"' || char === "'") nodes.push(this.#quoted(char));
    else if (char === ".") {
      this.#at += 1;
      nodes.push(this.#field());
    } else if (/[-+\p{Nd}]/u.test(char)) nodes.push(this.#number());
    else if (/[_\p{L}]/u.test(char)) nodes.push(this.#identifier());
    else throw new JsonPathError(`unrecognized character in action: ${describeCharacter(char)}`);
  }

  #recursive(nodes: JsonPathNode[]): void {
    if (nodes.at(-1)?.type === "recursive") {
      throw new JsonPathError("invalid multiple recursive descent");
    }
    this.#at += 2;
    nodes.push({ type: "recursive" });
    if (/^[_\p{L}\p{Nd}]/u.test(this.#text.slice(this.#at))) nodes.push(this.#field());
  }

  #field(): JsonPathNode {
    const from = this.#at;
    while (this.#at < this.#text.length && !TERMINATORS.has(this.#text[this.#at]!)) {
      this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    }
    const name = this.#text.slice(from, this.#at);
    return name === "*" ? { type: "wildcard" } : { type: "field", name: name.replaceAll("\\", "") };
  }

  #identifier(): JsonPathNode {
    const from = this.#at;
    while (this.#at < this.#text.length && !TERMINATORS.has(this.#text[this.#at]!)) this.#at += 1;
    const name = this.#text.slice(from, this.#at);
    if (name === "true" || name === "false") return { type: "bool", value: name === "true" };
    return { type: "identifier", name };
  }

  #number(): JsonPathNode {
    const text = /^[-+]?[.\p{Nd}]*/u.exec(this.#text.slice(this.#at))![0];
    this.#at += text.length;
    if (/^[-+]?[0-9]+$/.test(text)) return { type: "number", value: Number(text), isInteger: true };
    const value = /[0-9]/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${text}`);
    return { type: "number", value, isInteger: false };
  }

  #quoted(quote: string): JsonPathNode {
    const from = this.#at;
    for (this.#at += 1; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined || char === "\n") {
        throw new JsonPathError("unterminated quoted string");
      }
      if (char === quote && this.#text[this.#at - 1] !== "\\") break;
    }
    this.#at += 1;
    return { type: "text", text: unquote(this.#text.slice(from + 1, this.#at - 1)) };
  }

  #array(): JsonPathNode[] {
    const close = /[\]\n]/.exec(this.#text.slice(this.#at));
    if (close === null || close[0] === "\n") throw new JsonPathError("unterminated array");
    const text = this.#text.slice(this.#at + 1, this.#at + close.index);
    this.#at += close.index + 1;
    return parseSubscript(text === "*" ? ":" : text);
  }

  #filter(): JsonPathNode {
    this.#at += 3;
    const from = this.#at;
    this.#skipFilter();
    const text = this.#text.slice(from, this.#at);
    if (this.#text[this.#at + 1] !== "]") throw new JsonPathError("unclosed array expect ]");
    this.#at += 2;
    const comparison = /^([^!<>=]+)([!<>=]+)(.+)$/.exec(text);
    if (comparison === null) {
      const right: JsonPathNode = { type: "list", nodes: [] };
      return { type: "filter", left: parseAction(text), right, operator: "exists" };
    }
    const [, left = "", operator = "", right = ""] = comparison;
    return { type: "filter", left: parseAction(left), right: parseAction(right), operator };
  }

  /** Goes to the `)` that ends a filter: one outside of quotes. */
  #skipFilter(): void {
    let quote: string | undefined;
    let closed = false;
    for (; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined || char === "\n") throw new JsonPathError("unterminated filter");
      if (char === '"' || char === "'") {
        if (quote === undefined) quote = char;
        else if (this.#text[this.#at - 1] !== "\\" && char === quote) closed = true;
      } else if (char === ")" && (quote === undefined || closed)) return;
    }
  }
}

function parseSubscript(text: string): JsonPathNode[] {
  const parts = text.split(",");
  if (parts.length > 1) {
    const nodes = parts.map((part) => parseAction(`[${part.replace(/^ +| +$/g, "")}]`));
    return [{ type: "union", nodes }];
  }
  const key = /^'([^']*)'$/.exec(text);
  if (key !== null) {
    const inner = parseAction(`.${key[1]}`);
    return inner.type === "list" ? [...inner.nodes] : [inner];
  }
  const slice = /^(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?$/.exec(text);
  if (slice === null) throw new JsonPathError(`invalid array index ${text}`);
  const start = parseBound(slice[1] ?? "");
  const end =
    slice[2] === undefined
      ? { value: start.value + 1, known: true, derived: true }
      : parseBound(slice[2].slice(1));
  return [{ type: "slice", start, end, step: parseBound((slice[3] ?? ":").slice(1)) }];
}

function parseBound(text: string): SliceBound {
  if (text === "") return UNKNOWN;
  if (text === "-") throw new JsonPathError(`array index ${text} is not a number`);
  return { value: Number(text), known: true };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unquote(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/g, (_, escaped: string) => {
    const code = /^[ux](.+)$/.exec(escaped)?.[1];
    return code !== undefined && escaped.length > 1
      ? String.fromCharCode(Number.parseInt(code, 16))
      : (ESCAPES[escaped] ?? escaped);
  });
}

/** Go's `%#U`. */
function describeCharacter(char: string): string {
  const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return `U+${code} '${char}'`;
}
