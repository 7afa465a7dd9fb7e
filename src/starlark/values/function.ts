import type { Position } from "../errors.ts";
import type { Code } from "../eval/call.ts";
import type { Thread } from "../eval/thread.ts";
import { freeze } from "./freeze.ts";
import { ascii, type StarlarkString } from "./text.ts";
import { type Kwargs, StarlarkObject, type Value } from "./value.ts";

/** What a builtin does. It throws a plain `Error` with the reason when it cannot. */
export type BuiltinImpl = (
  thread: Thread,
  args: readonly Value[],
  kwargs: Kwargs,
  self: Builtin,
) => Value;

/** A body for positional calls: it takes `min` to `max` arguments, at most three, undefined standing for absent ones. */
export interface Direct {
  readonly min: number;
  readonly max: number;
  readonly fn: (a?: Value, b?: Value, c?: Value) => Value;
}

/** A function that the host provides, perhaps bound to a receiver. */
export class Builtin extends StarlarkObject {
  override readonly name: string;
  readonly impl: BuiltinImpl;
  /** The value of which this is a method. */
  readonly receiver: Value | undefined;
  /** The body for calls with positional arguments alone, if there is one: it spares the arrays. */
  direct: Direct | undefined = undefined;

  constructor(name: string, impl: BuiltinImpl, receiver?: Value) {
    super();
    this.name = name;
    this.impl = impl;
    this.receiver = receiver;
  }

  /** The same builtin as a method of a value. */
  bind(receiver: Value): Builtin {
    return new Builtin(this.name, this.impl, receiver);
  }

  get typeName(): string {
    return "builtin_function_or_method";
  }

  override call(thread: Thread, args: readonly Value[], kwargs: Kwargs): Value {
    return this.impl(thread, args, kwargs, this);
  }

  override repr(): StarlarkString {
    if (this.receiver === undefined) return ascii(`<built-in function ${this.name}>`);
    return ascii(`<built-in method ${this.name} of ${receiverType(this.receiver)} value>`);
  }

  override get hashedByIdentity(): boolean {
    return true;
  }

  override hash(): number {
    return identityHash(this);
  }

  override freeze(): void {
    if (this.receiver !== undefined) freeze(this.receiver);
  }

  override freezeInto(pending: Value[]): void {
    if (this.receiver !== undefined) pending.push(this.receiver);
  }

  override get goTypeName(): string {
    return "*starlark.Builtin";
  }
}

function receiverType(receiver: Value): string {
  if (typeof receiver === "string") return "string";
  return receiver instanceof StarlarkObject ? receiver.typeName : typeof receiver;
}

const identityHashes = new WeakMap<StarlarkObject, number>();
let nextIdentityHash = 1;

/** A hash for an object that equals only itself. */
export function identityHash(object: StarlarkObject): number {
  let hash = identityHashes.get(object);
  if (hash === undefined) {
    hash = Math.imul(nextIdentityHash++, 0x9e3779b1);
    identityHashes.set(object, hash);
  }
  return hash;
}

/** Makes a builtin. Its errors appear as `Error in NAME: reason`. */
export function makeBuiltin(name: string, impl: BuiltinImpl): Builtin {
  return new Builtin(name, impl);
}

/** A variable that inner functions share. */
export class Cell {
  value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** A function that a def statement or a lambda expression made. */
export class StarlarkFunction extends StarlarkObject {
  override readonly name: string;
  readonly code: Code;
  /** The default of each parameter; undefined for a required one. */
  readonly defaults: readonly (Value | undefined)[];
  /** The variables of enclosing functions that the body uses. */
  readonly cells: readonly Cell[];
  #frozen = false;

  constructor(code: Code, defaults: readonly (Value | undefined)[], cells: readonly Cell[]) {
    super();
    this.name = code.name;
    this.code = code;
    this.defaults = defaults;
    this.cells = cells;
  }

  get typeName(): string {
    return "function";
  }

  /** Where the def or lambda stands. */
  get position(): Position {
    return this.code.position;
  }

  /** The documentation string, if the body begins with one. */
  get doc(): StarlarkString | undefined {
    return this.code.doc;
  }

  /** The number of parameters, `*args` and `**kwargs` included. */
  get paramCount(): number {
    return this.code.paramNames.length + Number(this.hasVarargs) + Number(this.hasKwargs);
  }

  /** The names of the ordinary parameters, in order. */
  get paramNames(): readonly string[] {
    return this.code.paramNames;
  }

  get hasVarargs(): boolean {
    return this.code.hasVarargs;
  }

  get hasKwargs(): boolean {
    return this.code.hasKwargs;
  }

  override call(_thread: Thread, args: readonly Value[], kwargs: Kwargs): Value {
    return this.code.call(this, args, kwargs);
  }

  override repr(): StarlarkString {
    return ascii(`<function ${this.code.name}>`);
  }

  override get hashedByIdentity(): boolean {
    return true;
  }

  override hash(): number {
    return identityHash(this);
  }

  override freeze(): void {
    freeze(this);
  }

  override freezeInto(pending: Value[]): void {
    if (this.#frozen) return;
    this.#frozen = true;
    for (const value of this.defaults) if (value !== undefined) pending.push(value);
    for (const { value } of this.cells) if (value !== undefined) pending.push(value);
  }

  override get goTypeName(): string {
    return "*starlark.Function";
  }
}
