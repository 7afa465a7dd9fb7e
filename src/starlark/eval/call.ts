import type { Position } from "../errors.ts";
import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { fuel } from "../values/fuel.ts";
import { type Builtin, Cell, StarlarkFunction } from "../values/function.ts";
import { StarlarkTuple } from "../values/list.ts";
import { quote } from "../values/quote.ts";
import { typeName } from "../values/repr.ts";
import type { StarlarkString } from "../values/text.ts";
import { type Kwargs, StarlarkObject, type Value } from "../values/value.ts";
import type { FunctionCode } from "./code.ts";
import { type Completion, type Execute, type Frame, newFrame } from "./frame.ts";
import {
  builtinFrame,
  currentThread,
  placeError,
  type Site,
  StackOverflow,
  stackFrames,
  vm,
} from "./vm.ts";

/** No named arguments. */
export const NO_KWARGS: Kwargs = [];

/** The compiled form of a def or lambda. Its body is compiled when it is first called. */
export class Code implements FunctionCode {
  readonly name: string;
  /** What is blamed for wrong arguments. */
  readonly site: Site;
  readonly #definition: Site;
  readonly paramNames: readonly string[];
  readonly hasVarargs: boolean;
  readonly hasKwargs: boolean;
  readonly numKwonly: number;
  /** Locals and free variables. */
  readonly slotCount: number;
  /** The number of parameters, if all are plain ones that are given by position; else -1. */
  readonly plainCount: number;
  /** The places of locals that are cells, and of free variables. */
  readonly cellSlots: readonly number[];
  readonly firstFreeSlot: number;
  readonly hasPrologue: boolean;
  readonly recursion: boolean;
  readonly doc: StarlarkString | undefined;
  body: Execute;
  /** Whether a call is under way, where recursion is forbidden. */
  active = false;

  constructor(options: {
    name: string;
    site: Site;
    /** The def or lambda itself. */
    definition: Site;
    paramNames: readonly string[];
    hasVarargs: boolean;
    hasKwargs: boolean;
    numKwonly: number;
    localCount: number;
    freeCount: number;
    cellSlots: readonly number[];
    recursion: boolean;
    doc: StarlarkString | undefined;
    compile: () => Execute;
  }) {
    this.name = options.name;
    this.site = options.site;
    this.#definition = options.definition;
    this.paramNames = options.paramNames;
    this.hasVarargs = options.hasVarargs;
    this.hasKwargs = options.hasKwargs;
    this.numKwonly = options.numKwonly;
    this.slotCount = options.localCount + options.freeCount;
    this.cellSlots = options.cellSlots;
    this.firstFreeSlot = options.localCount;
    this.hasPrologue = options.freeCount > 0 || options.cellSlots.length > 0;
    const plain = !options.hasVarargs && !options.hasKwargs && options.numKwonly === 0;
    this.plainCount = plain && options.recursion ? options.paramNames.length : -1;
    this.recursion = options.recursion;
    this.doc = options.doc;
    this.body = (frame) => {
      this.body = options.compile();
      return this.body(frame);
    };
  }

  get position(): Position {
    return this.#definition.position;
  }

  /** Binds arguments and runs the body, for a caller that has recorded its site. */
  call(fn: StarlarkFunction, args: readonly Value[], kwargs: Kwargs): Value {
    const frame = newFrame(this.slotCount);
    try {
      if (this.active && !this.recursion) throw fault(`function ${this.name} called recursively`);
      bindArguments(frame, fn, this, args, kwargs);
    } catch (error) {
      throw placeAt(error, this.site);
    }
    if (this.recursion) return this.execute(fn, frame);
    this.active = true;
    try {
      return this.execute(fn, frame);
    } finally {
      this.active = false;
    }
  }

  /** Runs the body in a frame whose parameters are set. */
  execute(fn: StarlarkFunction, frame: Frame): Value {
    if (this.hasPrologue) this.#prologue(fn, frame);
    const completion: Completion = this.body(frame);
    return completion === undefined ? null : (completion as Value);
  }

  /** Puts shared variables into cells. */
  #prologue(fn: StarlarkFunction, frame: Frame): void {
    for (const slot of this.cellSlots) frame[slot] = new Cell(frame[slot] as Value | undefined);
    const { cells } = fn;
    for (let i = 0; i < cells.length; i++) frame[this.firstFreeSlot + i] = cells[i];
  }
}

/** Gives an error in an operation its place. */
export function placeAt(error: unknown, site: Site): unknown {
  return placeError(error, { name: site.functionName, position: site.position });
}

/** Counts a step when the fuel has run out. */
export function refuel(site: Site): void {
  try {
    currentThread().checkpoint();
  } catch (error) {
    throw placeAt(error, site);
  }
}

function overflow(site: Site): never {
  throw new StackOverflow(
    [...stackFrames(), { name: site.functionName, position: site.position }],
    false,
  );
}

/** Records a call: every call of a function passes here, and `leave` once it returns. */
export function enter(site: Site): void {
  const depth = vm.depth + 1;
  if (depth > vm.maxDepth) overflow(site);
  vm.depth = depth;
  vm.sites[depth] = site;
  if (--fuel[0]! < 0) refuel(site);
}

/** Calls a function whose code takes just these arguments by position; `frame` holds them. */
export function callPlain(fn: StarlarkFunction, code: Code, frame: Frame, site: Site): Value {
  enter(site);
  const result = code.execute(fn, frame);
  vm.depth--;
  return result;
}

/** Calls any value. */
export function callValue(
  callee: Value,
  args: readonly Value[],
  kwargs: Kwargs,
  site: Site,
): Value {
  if (callee instanceof StarlarkFunction) {
    enter(site);
    const result = callee.code.call(callee, args, kwargs);
    vm.depth--;
    return result;
  }
  if (!(callee instanceof StarlarkObject) || !callee.call) {
    throw placeAt(fault(`invalid call of non-function (${typeName(callee)})`), site);
  }
  return callBuiltin(callee, args, kwargs, site);
}

function callBuiltin(
  callee: StarlarkObject,
  args: readonly Value[],
  kwargs: Kwargs,
  site: Site,
): Value {
  enter(site);
  vm.builtin = callee;
  let result: Value;
  try {
    result = callee.call!(currentThread(), args, kwargs);
    if (result === undefined)
      throw fault(`internal error: undefined (not None) returned from ${callee.name}`);
  } catch (error) {
    throw placeError(error, builtinFrame(callee));
  }
  vm.builtin = undefined;
  vm.depth--;
  return result;
}

/** Gives an error in a builtin that was called without being recorded its place. */
export function placeDirect(error: unknown, builtin: Builtin, site: Site): unknown {
  vm.depth++;
  vm.sites[vm.depth] = site;
  try {
    return placeError(error, builtinFrame(builtin));
  } finally {
    vm.depth--;
  }
}

function plural(n: number): string {
  return n === 1 ? "" : "s";
}

function tooMany(code: Code, fn: StarlarkFunction, max: number, given: number): Error {
  const optional = fn.defaults.slice(0, max).some((value) => value !== undefined);
  const atMost = optional ? "at most " : "";
  return fault(
    `function ${code.name} accepts ${atMost}${max} positional argument${plural(max)} (${given} given)`,
  );
}

/** Sets the parameters of a function from a call's arguments, as starlark-go does and with its messages. */
export function bindArguments(
  frame: Frame,
  fn: StarlarkFunction,
  code: Code,
  args: readonly Value[],
  kwargs: Kwargs,
): void {
  const { paramNames, hasVarargs, hasKwargs } = code;
  const count = paramNames.length;
  if (count === 0 && !hasVarargs && !hasKwargs) {
    const given = args.length + kwargs.length;
    if (given > 0) throw fault(`function ${code.name} accepts no arguments (${given} given)`);
    return;
  }
  const positional = count - code.numKwonly;
  if (args.length > positional && !hasVarargs) throw tooMany(code, fn, positional, args.length);
  const n = Math.min(args.length, positional);
  for (let i = 0; i < n; i++) frame[i] = args[i];
  if (hasVarargs) frame[count] = new StarlarkTuple(args.length > n ? args.slice(n) : []);
  if (kwargs.length > 0 || hasKwargs) bindNamed(frame, code, kwargs);
  if (n < count) bindDefaults(frame, fn, code, n);
}

function bindNamed(frame: Frame, code: Code, kwargs: Kwargs): void {
  const { paramNames, hasVarargs, hasKwargs } = code;
  const surplus = hasKwargs ? new StarlarkDict() : undefined;
  for (const [name, value] of kwargs) {
    const i = paramNames.indexOf(name);
    if (i >= 0) {
      if (frame[i] !== undefined) throw multipleValues(code, name);
      frame[i] = value;
    } else if (surplus === undefined) {
      throw fault(`function ${code.name} got an unexpected keyword argument ${quote(name, false)}`);
    } else if (!surplus.insert(name, value)) throw multipleValues(code, name);
  }
  if (surplus !== undefined) frame[paramNames.length + (hasVarargs ? 1 : 0)] = surplus;
}

function multipleValues(code: Code, name: string): Error {
  return fault(`function ${code.name} got multiple values for parameter ${quote(name, false)}`);
}

function bindDefaults(frame: Frame, fn: StarlarkFunction, code: Code, from: number): void {
  let missing: string[] | undefined;
  for (let i = from; i < code.paramNames.length; i++) {
    if (frame[i] !== undefined) continue;
    const value = fn.defaults[i];
    if (value !== undefined) frame[i] = value;
    else {
      missing ??= [];
      missing.push(code.paramNames[i]!);
    }
  }
  if (missing !== undefined) {
    const { length } = missing;
    throw fault(
      `function ${code.name} missing ${length} argument${plural(length)} (${missing.join(", ")})`,
    );
  }
}

/** The named arguments of a call, those of a `**` operand after the written ones. */
export function mergeKwargs(kwargs: [StarlarkString, Value][], operand: Value): void {
  if (!(operand instanceof StarlarkObject) || operand.entries === undefined) {
    throw fault(`argument after ** must be a mapping, not ${typeName(operand)}`);
  }
  for (const [key, value] of operand.entries()) {
    if (typeof key !== "string") throw fault(`keywords must be strings, not ${typeName(key)}`);
    kwargs.push([key, value]);
  }
}
