import { TOO_MANY_VALUES, ValueBudget } from "../value-budget.ts";
import { Scanner } from "./scanner.ts";
import { LibyamlError, type Mark, parserError, type Token, type TokenType } from "./token.ts";

/** A node of a document, as goyaml has it before it decodes. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode | AliasNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string;
  /** Empty when it has none. */
  readonly tag: string;
  /** Plain, so that it may be something else than text. */
  readonly isImplicit: boolean;
}

export interface SequenceNode {
  readonly kind: "sequence";
  readonly items: YamlNode[];
}

export interface MappingNode {
  readonly kind: "mapping";
  readonly entries: [key: YamlNode, value: YamlNode][];
}

export interface AliasNode {
  readonly kind: "alias";
  readonly name: string;
  readonly target: YamlNode;
}

const TAG_PREFIX = "tag:yaml.org,2002:";
const EMPTY: ScalarNode = { kind: "scalar", value: "", tag: "", isImplicit: true };

/**
 * The first document of a text, as libyaml parses and goyaml composes it; undefined when there is none.
 * @throws LibyamlError
 */
export function parseFirstDocument(text: string, budget = new ValueBudget()): YamlNode | undefined {
  return new Parser(text, budget).parseDocument();
}

/** What may come before a node. */
interface Properties {
  readonly anchor?: string;
  readonly tag: string;
  readonly start?: Mark;
}

/** libyaml's parser; its messages are those of `parserc.go`. */
class Parser {
  readonly #scanner: Scanner;
  readonly #budget: ValueBudget;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #handles = new Map([
    ["!", "!"],
    ["!!", TAG_PREFIX],
  ]);

  constructor(text: string, budget: ValueBudget) {
    this.#budget = budget;
    this.#scanner = new Scanner(text);
  }

  parseDocument(): YamlNode | undefined {
    if (this.#is("stream-end")) return undefined;
    const directives = this.#parseDirectives();
    if (!this.#is("document-start")) {
      if (directives) {
        throw parserError("did not find expected <document start>", this.#scanner.peek().start);
      }
      return this.#parseRoot();
    }
    this.#scanner.skip();
    const isEmpty = ["version-directive", "tag-directive", "document-start", "document-end"];
    if (isEmpty.includes(this.#scanner.peek().type) || this.#is("stream-end")) return EMPTY;
    return this.#parseRoot();
  }

  /** What comes behind the document is scanned, though not parsed: it may be a `:` that makes no sense there. */
  #parseRoot(): YamlNode {
    const root = this.#parseNode(true, false);
    this.#scanner.peek();
    return root;
  }

  /** Whether there were any. */
  #parseDirectives(): boolean {
    let version = false;
    const handles = new Set<string>();
    for (;;) {
      const token = this.#scanner.peek();
      if (token.type === "version-directive") {
        if (version) throw parserError("found duplicate %YAML directive", token.start);
        if (token.value !== "1.1") {
          throw parserError("found incompatible YAML document", token.start);
        }
        version = true;
      } else if (token.type === "tag-directive") {
        if (handles.has(token.value)) {
          throw parserError("found duplicate %TAG directive", token.start);
        }
        handles.add(token.value);
        this.#handles.set(token.value, token.suffix!);
      } else return version || handles.size > 0;
      this.#scanner.skip();
    }
  }

  #is(type: TokenType): boolean {
    return this.#scanner.peek().type === type;
  }

  /** Takes the token if it is of a type. */
  #accept(type: TokenType): Token | undefined {
    const token = this.#scanner.peek();
    if (token.type !== type) return undefined;
    this.#scanner.skip();
    return token;
  }

  // block_node_or_indentless_sequence and flow_node of libyaml's grammar
  #parseNode(isBlock: boolean, indentless: boolean): YamlNode {
    if (!this.#budget.take()) throw new LibyamlError(`document has ${TOO_MANY_VALUES}`);
    const alias = this.#accept("alias");
    if (alias !== undefined) {
      const target = this.#anchors.get(alias.value);
      if (target === undefined) {
        throw new LibyamlError(`unknown anchor '${alias.value}' referenced`);
      }
      return { kind: "alias", name: alias.value, target };
    }
    const properties = this.#parseProperties();
    const token = this.#scanner.peek();
    if (indentless && token.type === "block-entry") {
      return this.#parseIndentlessSequence(properties);
    }
    switch (token.type) {
      case "scalar":
        return this.#parseScalar(properties);
      case "flow-sequence-start":
        return this.#parseFlowSequence(properties);
      case "flow-mapping-start":
        return this.#parseFlowMapping(properties);
      case "block-sequence-start":
        if (isBlock) return this.#parseBlockSequence(properties);
        break;
      case "block-mapping-start":
        if (isBlock) return this.#parseBlockMapping(properties);
        break;
    }
    if (properties.start === undefined) {
      throw parserError("did not find expected node content", token.start, token.start);
    }
    return this.#anchored({ ...EMPTY, tag: properties.tag }, properties);
  }

  #parseProperties(): Properties {
    let anchor: string | undefined;
    let tag = "";
    let start: Mark | undefined;
    for (const order of ["anchor", "tag", "anchor"] as const) {
      const token = this.#scanner.peek();
      if (token.type !== order || (order === "anchor" && anchor !== undefined)) continue;
      this.#scanner.skip();
      start ??= token.start;
      if (order === "anchor") anchor = token.value;
      else tag = this.#resolveTag(token, start);
    }
    return {
      tag,
      ...(anchor === undefined ? {} : { anchor }),
      ...(start === undefined ? {} : { start }),
    };
  }

  #resolveTag({ value: handle, suffix = "", start: mark }: Token, start: Mark): string {
    if (handle === "") return suffix;
    const prefix = this.#handles.get(handle);
    if (prefix === undefined) throw parserError("found undefined tag handle", mark, start);
    return prefix + suffix;
  }

  /** An anchor is known from here on, also inside of its own node. */
  #anchored<T extends YamlNode>(node: T, { anchor }: Properties): T {
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return node;
  }

  #parseScalar(properties: Properties): ScalarNode {
    const { value, isPlain } = this.#accept("scalar")!;
    const { tag } = properties;
    const isImplicit = (tag === "" && isPlain === true) || tag === "!";
    return this.#anchored({ kind: "scalar", value, tag, isImplicit }, properties);
  }

  #parseBlockSequence(properties: Properties): SequenceNode {
    const { start } = this.#accept("block-sequence-start")!;
    const node = this.#anchored<SequenceNode>({ kind: "sequence", items: [] }, properties);
    while (this.#accept("block-entry") !== undefined) {
      const isEmpty = this.#is("block-entry") || this.#is("block-end");
      node.items.push(isEmpty ? EMPTY : this.#parseNode(true, false));
    }
    if (this.#accept("block-end") === undefined) {
      throw parserError("did not find expected '-' indicator", this.#scanner.peek().start, start);
    }
    return node;
  }

  #parseIndentlessSequence(properties: Properties): SequenceNode {
    const node = this.#anchored<SequenceNode>({ kind: "sequence", items: [] }, properties);
    while (this.#accept("block-entry") !== undefined) {
      const { type } = this.#scanner.peek();
      const isEmpty = ["block-entry", "key", "value", "block-end"].includes(type);
      node.items.push(isEmpty ? EMPTY : this.#parseNode(true, false));
    }
    return node;
  }

  #parseBlockMapping(properties: Properties): MappingNode {
    const { start } = this.#accept("block-mapping-start")!;
    const node = this.#anchored<MappingNode>({ kind: "mapping", entries: [] }, properties);
    for (;;) {
      if (this.#accept("key") !== undefined) {
        const key = this.#isEmptyKeyOrValue() ? EMPTY : this.#parseNode(true, true);
        node.entries.push([key, this.#parseBlockValue()]);
      } else if (this.#accept("block-end") !== undefined) return node;
      else {
        throw parserError("did not find expected key", this.#scanner.peek().start, start);
      }
    }
  }

  #parseBlockValue(): YamlNode {
    if (this.#accept("value") === undefined) return EMPTY;
    return this.#isEmptyKeyOrValue() ? EMPTY : this.#parseNode(true, true);
  }

  #isEmptyKeyOrValue(): boolean {
    const { type } = this.#scanner.peek();
    return type === "key" || type === "value" || type === "block-end";
  }

  #parseFlowSequence(properties: Properties): SequenceNode {
    const { start } = this.#accept("flow-sequence-start")!;
    const node = this.#anchored<SequenceNode>({ kind: "sequence", items: [] }, properties);
    for (let isFirst = true; !this.#is("flow-sequence-end"); isFirst = false) {
      this.#expectFlowEntry(isFirst, "did not find expected ',' or ']'", start);
      if (this.#is("key")) node.items.push(this.#parseFlowPair());
      else if (!this.#is("flow-sequence-end")) node.items.push(this.#parseNode(false, false));
    }
    this.#scanner.skip();
    return node;
  }

  #expectFlowEntry(isFirst: boolean, problem: string, context: Mark): void {
    if (isFirst || this.#accept("flow-entry") !== undefined) return;
    throw parserError(problem, this.#scanner.peek().start, context);
  }

  /** `[a: b]`: a mapping of one entry. */
  #parseFlowPair(): MappingNode {
    this.#scanner.skip();
    const ends = ["value", "flow-entry", "flow-sequence-end"];
    const isEmptyKey = ends.includes(this.#scanner.peek().type);
    // goyaml loses the token behind an empty key.
    if (isEmptyKey) this.#scanner.skip();
    const key = isEmptyKey ? EMPTY : this.#parseNode(false, false);
    let value: YamlNode = EMPTY;
    if (this.#accept("value") !== undefined) {
      const isEmpty = this.#is("flow-entry") || this.#is("flow-sequence-end");
      if (!isEmpty) value = this.#parseNode(false, false);
    }
    return { kind: "mapping", entries: [[key, value]] };
  }

  #parseFlowMapping(properties: Properties): MappingNode {
    const { start } = this.#accept("flow-mapping-start")!;
    const node = this.#anchored<MappingNode>({ kind: "mapping", entries: [] }, properties);
    for (let isFirst = true; !this.#is("flow-mapping-end"); isFirst = false) {
      this.#expectFlowEntry(isFirst, "did not find expected ',' or '}'", start);
      if (this.#accept("key") !== undefined) {
        const ends = ["value", "flow-entry", "flow-mapping-end"];
        const isEmpty = ends.includes(this.#scanner.peek().type);
        const key = isEmpty ? EMPTY : this.#parseNode(false, false);
        node.entries.push([key, this.#parseFlowValue()]);
      } else if (!this.#is("flow-mapping-end")) {
        // A `:` behind it would have made a key of it.
        node.entries.push([this.#parseNode(false, false), EMPTY]);
      }
    }
    this.#scanner.skip();
    return node;
  }

  #parseFlowValue(): YamlNode {
    if (this.#accept("value") === undefined) return EMPTY;
    const isEmpty = this.#is("flow-entry") || this.#is("flow-mapping-end");
    return isEmpty ? EMPTY : this.#parseNode(false, false);
  }
}
