import { nearestName } from "../spell.ts";
import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { Builtin, StarlarkFunction } from "../values/function.ts";
import { isInt } from "../values/int.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { quote } from "../values/quote.ts";
import { reprText, strText, typeName } from "../values/repr.ts";
import { fromJsString, type StarlarkString, toJsString } from "../values/text.ts";
import { type Kwargs, StarlarkObject, type Value } from "../values/value.ts";

/** Turns an argument into what the builtin wants, or throws a plain Error with the reason only. */
export type Unpacker<T> = (value: Value) => T;

/** Parameters in positional order: `name` required, `name?` optional, `name??` optional with None for absent. */
export type Spec = Readonly<Record<string, Unpacker<unknown>>>;

type ParamName<K extends string> = K extends `${infer N}??` ? N : K extends `${infer N}?` ? N : K;

/** What `unpack` returns for a spec: undefined stands for an absent optional argument. */
export type Unpacked<S extends Spec> = {
  [K in keyof S & string as ParamName<K>]: K extends `${string}?`
    ? ReturnType<S[K]> | undefined
    : ReturnType<S[K]>;
};

interface Param {
  readonly name: string;
  readonly optional: boolean;
  readonly skipNone: boolean;
  readonly unpacker: Unpacker<unknown>;
}

function parseParam([key, unpacker]: [string, Unpacker<unknown>]): Param {
  const skipNone = key.endsWith("??");
  const optional = key.endsWith("?");
  const name = skipNone ? key.slice(0, -2) : optional ? key.slice(0, -1) : key;
  return { name, optional, skipNone, unpacker };
}

const parsedSpecs = new WeakMap<Spec, Param[]>();

function paramsOf(spec: Spec): Param[] {
  let params = parsedSpecs.get(spec);
  if (params === undefined) {
    params = Object.entries(spec).map(parseParam);
    parsedSpecs.set(spec, params);
  }
  return params;
}

function apply(fnName: string, shownName: string, param: Param, value: Value): unknown {
  if (param.skipNone && value === null) return undefined;
  try {
    return param.unpacker(value);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`${fnName}: for parameter ${shownName}: ${error.message}`, { cause: error });
  }
}

function unexpectedKeyword(fnName: string, name: string, params: readonly Param[]): Error {
  // starlark-go looks at the first half of the parameters only, so Tilt's messages do too.
  const candidates = params.slice(0, (params.length + 1) >> 1).map((param) => param.name);
  const near = nearestName(name, candidates);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return new Error(`${fnName}: unexpected keyword argument ${quoted(name)}${hint}`);
}

function quoted(name: string): string {
  return toJsString(quote(fromJsString(name), false));
}

/**
 * Binds a builtin's arguments as starlark-go's UnpackArgs does, with its messages. The keys of the spec give names
 * and positional order; all parameters after the first optional one are optional.
 */
export function unpack<const S extends Spec>(
  fnName: string,
  args: readonly Value[],
  kwargs: Kwargs,
  spec: S,
): Unpacked<S> {
  const params = paramsOf(spec);
  if (args.length > params.length) {
    throw new Error(`${fnName}: got ${args.length} arguments, want at most ${params.length}`);
  }
  const result: Record<string, unknown> = {};
  const defined = new Set<Param>();
  for (const param of params) result[param.name] = undefined;
  args.forEach((value, i) => {
    const param = params[i]!;
    defined.add(param);
    result[param.name] = apply(fnName, param.name, param, value);
  });
  for (const [key, value] of kwargs) {
    const name = toJsString(key);
    const param = params.find((p) => p.name === name);
    if (param === undefined) throw unexpectedKeyword(fnName, name, params);
    if (defined.has(param)) {
      throw new Error(`${fnName}: got multiple values for keyword argument ${quoted(name)}`);
    }
    defined.add(param);
    result[name] = apply(fnName, quoted(name), param, value);
  }
  checkRequired(fnName, params, defined);
  return result as Unpacked<S>;
}

function checkRequired(
  fnName: string,
  params: readonly Param[],
  defined: ReadonlySet<Param>,
): void {
  for (const param of params) {
    if (param.optional) return;
    if (!defined.has(param)) throw new Error(`${fnName}: missing argument for ${param.name}`);
  }
}

/** Throws unless there are `min` to `max` positional arguments and no named ones. */
export function checkPositional(
  fnName: string,
  args: readonly Value[],
  kwargs: Kwargs,
  min: number,
  max: number,
): void {
  if (kwargs.length > 0) throw fault(`${fnName}: unexpected keyword arguments`);
  if (args.length < min) {
    throw fault(
      `${fnName}: got ${args.length} arguments, want ${min < max ? "at least " : ""}${min}`,
    );
  }
  if (args.length > max) {
    throw fault(
      `${fnName}: got ${args.length} arguments, want ${max > min ? "at most " : ""}${max}`,
    );
  }
}

type UnpackedTuple<U extends readonly Unpacker<unknown>[]> = {
  [I in keyof U]: ReturnType<U[I]> | undefined;
};

/** Binds positional arguments as starlark-go's UnpackPositionalArgs does; undefined for the absent ones. */
export function unpackPositional<const U extends readonly Unpacker<unknown>[]>(
  fnName: string,
  args: readonly Value[],
  kwargs: Kwargs,
  min: number,
  unpackers: U,
): UnpackedTuple<U> {
  checkPositional(fnName, args, kwargs, min, unpackers.length);
  return unpackers.map((unpacker, i) => {
    if (i >= args.length) return undefined;
    try {
      return unpacker(args[i]!);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(`${fnName}: for parameter ${i + 1}: ${error.message}`, { cause: error });
    }
  }) as UnpackedTuple<U>;
}

function mismatch(value: Value, wanted: string): Error {
  return new Error(`got ${typeName(value)}, want ${wanted}`);
}

function boundedInt(bits: 32 | 64): Unpacker<number> {
  return (value) => {
    if (!isInt(value)) throw mismatch(value, "int");
    const inRange =
      bits === 32 ? BigInt.asIntN(32, BigInt(value)) === BigInt(value) : typeof value === "number";
    if (!inRange) {
      throw new Error(`${value} out of range (want value in signed ${bits}-bit range)`);
    }
    return Number(value);
  };
}

/** Whether a value can be iterated over. */
export function isIterable(value: Value): value is StarlarkObject {
  return value instanceof StarlarkObject && value.iterate !== undefined;
}

/** Whether a value can be iterated over and has a length. */
export function isSequence(value: Value): value is StarlarkObject {
  return isIterable(value) && value.length !== undefined;
}

/** Whether a value can be called. */
export function isCallable(value: Value): value is StarlarkObject {
  return value instanceof Builtin || (value instanceof StarlarkObject && value.call !== undefined);
}

/** Whether a value is a string. */
export function isString(value: Value | undefined): value is StarlarkString {
  return typeof value === "string";
}

function test<T extends Value>(wanted: string, accepts: (value: Value) => value is T): Unpacker<T> {
  return (value) => {
    if (!accepts(value)) throw mismatch(value, wanted);
    return value;
  };
}

/** Ready-made unpackers. */
export const types = {
  /** Anything. */
  value: (value: Value): Value => value,
  /** A string, decoded. */
  string: (value: Value): string => {
    if (typeof value !== "string") throw mismatch(value, "string");
    return toJsString(value);
  },
  /** A string, as its bytes. */
  byteString: test("string", isString),
  bool: (value: Value): boolean => {
    if (typeof value !== "boolean") throw mismatch(value, "bool");
    return value;
  },
  /** A JavaScript number within the safe integers. */
  int: boundedInt(64),
  int32: boundedInt(32),
  /** An int of any size. */
  bigint: (value: Value): bigint => {
    if (!isInt(value)) throw mismatch(value, "int");
    return BigInt(value);
  },
  /** A float's number; ints are refused, as in starlark-go. */
  float: (value: Value): number => {
    if (!(value instanceof StarlarkFloat)) throw mismatch(value, "float");
    return value.value;
  },
  list: test("list", (value) => value instanceof StarlarkList),
  tuple: test("tuple", (value) => value instanceof StarlarkTuple),
  dict: test("dict", (value) => value instanceof StarlarkDict),
  set: test("set", (value) => value instanceof StarlarkSet),
  function: test("function", (value) => value instanceof StarlarkFunction),
  callable: test("callable", isCallable),
  iterable: test("iterable", isIterable),
  sequence: test("starlark.Sequence", isSequence),
  /** None becomes undefined. */
  optional:
    <T>(unpacker: Unpacker<T>): Unpacker<T | undefined> =>
    (value) =>
      value === null ? undefined : unpacker(value),
  /** Values of one class; `wanted` names it in the message. */
  instanceOf: <T extends StarlarkObject>(
    type: abstract new (...args: never[]) => T,
    wanted: string,
  ): Unpacker<T> => test(wanted, (value): value is T => value instanceof type),
  /** The text of a value as `str` gives it, or its literal form for messages. */
  text: strText,
  literal: reprText,
} as const;
