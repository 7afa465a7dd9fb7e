import { JsonPathError, type JsonPathNode, parseJsonPath } from "./json-path-parser.ts";

type Json = unknown;
type JsonRecord = Record<string, Json>;

/** A value that a path leads to, with the place it was found in, so that it can be replaced. */
export interface JsonPathMatch {
  readonly value: Json;
  /** The object or array that holds it; undefined for the root and for literals. */
  readonly parent?: JsonRecord | Json[];
  readonly key?: string | number;
}

/**
 * The values that a kubectl JSONPath finds in an object.
 * @throws JsonPathError when the path is none or the object does not have it
 */
export function findJsonPath(root: unknown, path: string): JsonPathMatch[] {
  return new Evaluation(parseJsonPath(path)).find({ value: root });
}

/** Puts another value in the place of a match. */
export function replaceMatch({ parent, key }: JsonPathMatch, value: unknown): void {
  if (parent !== undefined) (parent as JsonRecord)[key as string] = value;
}

class Evaluation {
  #nodes: readonly JsonPathNode[];
  #current: readonly JsonPathMatch[] = [];
  readonly #outer: (readonly JsonPathMatch[])[] = [];
  #beginRange = 0;
  #inRange = 0;
  #endRange = 0;

  constructor(nodes: readonly JsonPathNode[]) {
    this.#nodes = nodes;
  }

  find(root: JsonPathMatch): JsonPathMatch[] {
    this.#current = [root];
    const nodes = this.#nodes;
    const found: JsonPathMatch[] = [];
    for (const [index, node] of nodes.entries()) {
      const results = this.#walk(this.#current, node);
      if (this.#endRange > 0 && this.#endRange <= this.#inRange) {
        this.#endRange -= 1;
        break;
      }
      if (this.#beginRange > 0) {
        this.#beginRange -= 1;
        this.#inRange += 1;
        for (const [at, result] of results.entries()) {
          this.#nodes = nodes.slice(index + 1);
          if (at === results.length - 1) this.#inRange -= 1;
          found.push(...this.find(result));
        }
        break;
      }
      found.push(...results);
    }
    return found;
  }

  #walk(input: readonly JsonPathMatch[], node: JsonPathNode): JsonPathMatch[] {
    switch (node.type) {
      case "list":
        return node.nodes.reduce<readonly JsonPathMatch[]>(
          (matches, each) => this.#walk(matches, each),
          input,
        ) as JsonPathMatch[];
      case "text":
        return [{ value: node.text }];
      case "number":
      case "bool":
        return input.map(() => ({ value: node.value }));
      case "field":
        return findField(input, node.name);
      case "slice":
        return input.flatMap((match) => slice(match, node));
      case "wildcard":
        return input.flatMap(children);
      case "recursive":
        return input.flatMap(descendants);
      case "union":
        return node.nodes.flatMap((each) => this.#walk(input, each));
      case "filter":
        return input.flatMap((match) => this.#filter(match, node));
      case "identifier":
        return this.#identifier(input, node.name);
    }
  }

  #identifier(input: readonly JsonPathMatch[], name: string): JsonPathMatch[] {
    if (name === "range") {
      this.#outer.push(this.#current);
      this.#beginRange += 1;
      return [...input];
    }
    if (name !== "end") throw new JsonPathError(`unrecognized identifier ${name}`);
    if (this.#endRange < this.#inRange) {
      this.#endRange += 1;
      return [];
    }
    const outer = this.#outer.pop();
    if (outer === undefined) throw new JsonPathError("not in range, nothing to end");
    this.#current = outer;
    return [];
  }

  #filter(match: JsonPathMatch, node: Extract<JsonPathNode, { type: "filter" }>): JsonPathMatch[] {
    if (!Array.isArray(match.value)) {
      throw new JsonPathError(
        `${goTypeName(match.value)} is not array or slice and cannot be filtered`,
      );
    }
    return children(match).filter((item) => {
      if (node.operator === "exists") return this.#exists(item, node.left);
      const left = this.#single(item, node.left);
      const right = this.#single(item, node.right);
      if (left === undefined || right === undefined) return false;
      return compare(left.value, right.value, node.operator);
    });
  }

  #exists(item: JsonPathMatch, node: JsonPathNode): boolean {
    try {
      return this.#walk([item], node).length > 0;
    } catch (error) {
      if (error instanceof JsonPathError) return false;
      throw error;
    }
  }

  #single(item: JsonPathMatch, node: JsonPathNode): JsonPathMatch | undefined {
    const matches = this.#walk([item], node);
    if (matches.length > 1) throw new JsonPathError("can only compare one element at a time");
    return matches[0];
  }
}

function findField(input: readonly JsonPathMatch[], name: string): JsonPathMatch[] {
  if (input.length === 0) return [];
  const found = input.flatMap(({ value }) =>
    isRecord(value) && Object.hasOwn(value, name)
      ? [{ value: value[name], parent: value, key: name }]
      : [],
  );
  if (found.length === 0) throw new JsonPathError(`${name} is not found`);
  return found;
}

function children({ value }: JsonPathMatch): JsonPathMatch[] {
  if (Array.isArray(value)) {
    return value.map((item, index) => ({ value: item, parent: value, key: index }));
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).map(([key, item]) => ({ value: item, parent: value, key }));
}

function descendants(match: JsonPathMatch): JsonPathMatch[] {
  const inside = children(match);
  return inside.length === 0 ? [] : [match, ...inside.flatMap(descendants)];
}

function slice(
  match: JsonPathMatch,
  { start, end, step }: Extract<JsonPathNode, { type: "slice" }>,
): JsonPathMatch[] {
  const { value } = match;
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new JsonPathError(`${goTypeName(value)} is not array or slice`);
  }
  const { length } = value;
  const from =
    start.known && start.value < 0 ? start.value + length : start.known ? start.value : 0;
  const written = end.known ? end.value : length;
  const to = written < 0 || (written === 0 && end.derived) ? written + length : written;
  if (from === to) return [];
  const outOfBounds = (index: number) =>
    new JsonPathError(`array index out of bounds: index ${index}, length ${length}`);
  if (from >= length || from < 0) throw outOfBounds(from);
  if (to > length || to < 0) throw outOfBounds(to - 1);
  if (from > to) {
    throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  }
  if (step.known && step.value <= 0) throw new JsonPathError("step must be > 0");
  const stride = step.known ? step.value : 1;
  return children(match)
    .slice(from, to)
    .filter((_, index) => index % stride === 0);
}

function compare(left: Json, right: Json, operator: string): boolean {
  const kind = basicKind(left);
  if (kind === undefined || basicKind(right) === undefined) {
    throw new JsonPathError("invalid type for comparison");
  }
  if (!["<", ">", "==", "!=", "<=", ">="].includes(operator)) {
    throw new JsonPathError(`unrecognized filter operator ${operator}`);
  }
  if (kind !== basicKind(right)) {
    throw new JsonPathError("incompatible types for comparison");
  }
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (kind === "bool") throw new JsonPathError("invalid type for comparison");
  const [a, b] = [left as number, right as number];
  if (operator === "<") return a < b;
  if (operator === ">") return a > b;
  return operator === "<=" ? a <= b : a >= b;
}

function basicKind(value: Json): string | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : undefined;
}

/** What Go calls the type of a decoded value. */
export function goTypeName(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  if (typeof value === "bigint") return "int64";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

function isRecord(value: Json): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
