import {
  checkPositional,
  elementsOf,
  fromJsString,
  HostValue,
  isIterable,
  type Kwargs,
  lengthOf,
  makeBuiltin,
  repr,
  StarlarkDict,
  StarlarkList,
  StarlarkObject,
  type StarlarkString,
  StarlarkTuple,
  toJsString,
  typeName,
  type Value,
} from "../../starlark/index.ts";
import type { Evaluation } from "../evaluation.ts";
import { textOf } from "./blob.ts";

type Method = (environ: Environ, args: readonly Value[], kwargs: Kwargs, name: string) => Value;

const METHODS: Readonly<Record<string, Method>> = {
  clear(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 0, 0);
    environ.variables.clear();
    return null;
  },
  get(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 1, 2);
    return environ.lookup(args[0]!) ?? args[1] ?? null;
  },
  items(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 0, 0);
    return new StarlarkList(environ.entries().map((entry) => new StarlarkTuple(entry)));
  },
  keys(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 0, 0);
    return new StarlarkList(environ.entries().map(([key]) => key));
  },
  pop(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 1, 2);
    const [key, fallback] = args;
    const value = environ.lookup(key!);
    if (value !== undefined) environ.remove(key!);
    if (value === undefined && fallback === undefined) throw new Error(`${name}: missing key`);
    return value ?? fallback ?? null;
  },
  popitem(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 0, 0);
    const [first] = environ.entries();
    if (first === undefined) throw new Error(`${name}: empty environ`);
    environ.remove(first[0]);
    return new StarlarkTuple(first);
  },
  setdefault(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 1, 2);
    const [key, fallback = null] = args;
    const value = environ.lookup(key!);
    if (value !== undefined) return value;
    try {
      environ.setIndex(key!, fallback);
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`);
    }
    return fallback;
  },
  update(environ, args, kwargs) {
    if (args.length > 1) throw new Error(`update: got ${args.length} arguments, want at most 1`);
    try {
      for (const [key, value] of updatePairs(args[0])) environ.setIndex(key, value);
      for (const [key, value] of kwargs) environ.setIndex(key, value);
    } catch (error) {
      throw new Error(`update: ${(error as Error).message}`);
    }
    return null;
  },
  values(environ, args, kwargs, name) {
    checkPositional(name, args, kwargs, 0, 0);
    return new StarlarkList(environ.entries().map(([, value]) => value));
  },
};

/** What `update` may be given: a mapping, or an iterable of pairs. */
function updatePairs(updates: Value | undefined): [Value, Value][] {
  if (updates === undefined) return [];
  if (updates instanceof StarlarkObject && updates.entries !== undefined) return updates.entries();
  const elements = isIterable(updates) ? elementsOf(updates) : undefined;
  if (elements === undefined) throw new Error(`got ${typeName(updates)}, want iterable`);
  return elements.map((pair, index) => {
    const label = `dictionary update sequence element #${index}`;
    const parts = isIterable(pair) ? elementsOf(pair) : undefined;
    if (parts === undefined) throw new Error(`${label} is not iterable (${typeName(pair)})`);
    if (lengthOf(pair) < 0) throw new Error(`${label} has unknown length (${typeName(pair)})`);
    if (parts.length !== 2) throw new Error(`${label} has length ${parts.length}, want 2`);
    return parts as [Value, Value];
  });
}

/** `os.environ`: the process environment as a mapping, always current. */
export class Environ extends HostValue {
  readonly typeName = "environ";
  readonly #evaluation: Evaluation;

  constructor(evaluation: Evaluation) {
    super();
    this.#evaluation = evaluation;
  }

  get variables(): Map<string, string> {
    return this.#evaluation.env;
  }

  /** The value of a variable; undefined when it is unset or the key is no text. */
  lookup(key: Value): Value | undefined {
    const name = textOf(key);
    if (name === undefined) return undefined;
    this.#evaluation.recordVariable(name);
    const value = this.variables.get(name);
    return value === undefined ? undefined : fromJsString(value);
  }

  remove(key: Value): void {
    this.variables.delete(textOf(key) ?? "");
  }

  override entries(): [Value, Value][] {
    return [...this.variables].map(([name, value]) => [fromJsString(name), fromJsString(value)]);
  }

  override repr(): StarlarkString {
    return repr(StarlarkDict.from(this.entries()));
  }

  override truth(): boolean {
    return this.variables.size > 0;
  }

  override hash(): number {
    throw new Error("unhashable type: environ");
  }

  override getIndex(index: Value): Value {
    const value = this.lookup(index);
    if (value === undefined) throw new Error(`key ${toJsString(repr(index))} not in environ`);
    return value;
  }

  override setIndex(index: Value, value: Value): void {
    const name = textOf(index);
    if (name === undefined) {
      throw new Error(`putenv() key must be a string, not ${typeName(index)}`);
    }
    const content = textOf(value);
    if (content === undefined) {
      throw new Error(`putenv() value must be a string, not ${typeName(value)}`);
    }
    this.#evaluation.setVariable(name, content);
  }

  override length(): number {
    return this.variables.size;
  }

  override iterate(): Iterable<Value> {
    return this.entries().map(([key]) => key);
  }

  override contains(value: Value): boolean {
    return this.lookup(value) !== undefined;
  }

  override getAttr(name: string): Value | undefined {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (method === undefined) return undefined;
    return makeBuiltin(name, (_thread, args, kwargs) => method(this, args, kwargs, name)).bind(
      this,
    );
  }

  override attrNames(): string[] {
    return Object.keys(METHODS).sort();
  }

  override equals(other: Value): boolean {
    return other instanceof Environ && other.variables === this.variables;
  }

  override get goTypeName(): string {
    return "os.Environ";
  }
}
