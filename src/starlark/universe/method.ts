import { checkPositional, isIterable, isString } from "../eval/unpack.ts";
import { fault } from "../values/fault.ts";
import { Builtin, makeBuiltin } from "../values/function.ts";
import { isInt, type StarlarkInt } from "../values/int.ts";
import { typeName } from "../values/repr.ts";
import type { StarlarkString } from "../values/text.ts";
import type { Kwargs, StarlarkObject, Value } from "../values/value.ts";

type PositionalBody<R> = (receiver: R, a?: Value, b?: Value, c?: Value) => Value;
type VariadicBody<R> = (receiver: R, args: readonly Value[], kwargs: Kwargs) => Value;

/** A method of a built-in type, not yet bound to a receiver. */
export class Method<R = never> {
  readonly name: string;
  /** A call with this many positional arguments, and nothing else, may take `direct`. None may when max is -1. */
  readonly min: number;
  readonly max: number;
  readonly direct: PositionalBody<R>;
  readonly invoke: VariadicBody<R>;
  /** Stands for the method on the stack while it runs. */
  readonly builtin: Builtin;

  constructor(
    name: string,
    min: number,
    max: number,
    direct: PositionalBody<R>,
    invoke: VariadicBody<R>,
  ) {
    this.name = name;
    this.min = min;
    this.max = max;
    this.direct = direct;
    this.invoke = invoke;
    this.builtin = makeBuiltin(name, () => {
      throw fault(`${name}: called without a receiver`);
    });
  }

  /** The method as a value, `x.name`. */
  bind(receiver: R & Value): Builtin {
    const bound = new Builtin(
      this.name,
      (_thread, args, kwargs) => this.invoke(receiver, args, kwargs),
      receiver,
    );
    if (this.max >= 0) {
      bound.direct = {
        min: this.min,
        max: this.max,
        fn: (a, b, c) => this.direct(receiver, a, b, c),
      };
    }
    return bound;
  }
}

/** The methods of a type, by name. */
export type MethodTable<R> = ReadonlyMap<string, Method<R>>;

/** A method that takes `min` to `max` positional arguments, at most three; absent ones are undefined. */
export function method<R>(
  name: string,
  min: number,
  max: number,
  body: PositionalBody<R>,
): Method<R> {
  return new Method<R>(name, min, max, body, (receiver, args, kwargs) => {
    checkPositional(name, args, kwargs, min, max);
    return body(receiver, args[0], args[1], args[2]);
  });
}

/** A method that takes whatever it is given. */
export function variadicMethod<R>(name: string, body: VariadicBody<R>): Method<R> {
  return new Method<R>(name, 0, -1, () => null, body);
}

/** A table of methods. */
export function methodTable<R>(methods: readonly Method<R>[]): MethodTable<R> {
  return new Map(methods.map((m) => [m.name, m]));
}

/** A builtin that takes `min` to `max` positional arguments, at most three; absent ones are undefined. */
export function positionalBuiltin(
  name: string,
  min: number,
  max: number,
  body: (a?: Value, b?: Value, c?: Value) => Value,
): Builtin {
  const builtin = makeBuiltin(name, (_thread, args, kwargs) => {
    checkPositional(name, args, kwargs, min, max);
    return body(args[0], args[1], args[2]);
  });
  builtin.direct = { min, max, fn: body };
  return builtin;
}

function mismatch(fnName: string, place: number, value: Value, wanted: string): Error {
  return fault(`${fnName}: for parameter ${place}: got ${typeName(value)}, want ${wanted}`);
}

/** The argument at a place (1-based) as a string. */
export function wantString(fnName: string, place: number, value: Value): StarlarkString {
  if (!isString(value)) throw mismatch(fnName, place, value, "string");
  return value;
}

/** The argument at a place (1-based) as a number; an int of more than 64 bits is refused, others may be rounded. */
export function wantInt(fnName: string, place: number, value: Value): number {
  return Number(wantInt64(fnName, place, value));
}

/** The argument at a place (1-based) as an int of 64 bits at most. */
export function wantInt64(fnName: string, place: number, value: Value): StarlarkInt {
  if (!isInt(value)) throw mismatch(fnName, place, value, "int");
  if (typeof value === "bigint" && BigInt.asIntN(64, value) !== value) {
    throw fault(
      `${fnName}: for parameter ${place}: ${value} out of range (want value in signed 64-bit range)`,
    );
  }
  return value;
}

/** The argument at a place (1-based) as an iterable. */
export function wantIterable(fnName: string, place: number, value: Value): StarlarkObject {
  if (!isIterable(value)) throw mismatch(fnName, place, value, "iterable");
  return value;
}

/** The argument at a place (1-based) as a bool. */
export function wantBool(fnName: string, place: number, value: Value): boolean {
  if (typeof value !== "boolean") throw mismatch(fnName, place, value, "bool");
  return value;
}

/** Runs a body and puts the builtin's name before the message of its error. */
export function named<T>(fnName: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof RangeError) throw error; // V8's limits are told apart further out
    throw new Error(`${fnName}: ${(error as Error).message}`);
  }
}
