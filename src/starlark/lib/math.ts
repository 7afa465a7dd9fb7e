import { types, type Unpacker, unpackPositional } from "../eval/unpack.ts";
import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { type Builtin, makeBuiltin } from "../values/function.ts";
import { intToFloat, isInt, numberToInt } from "../values/int.ts";
import { typeName } from "../values/repr.ts";
import { StarlarkModule } from "../values/struct.ts";
import type { Value } from "../values/value.ts";

const number: Unpacker<number> = (value) => {
  if (isInt(value)) return intToFloat(value);
  if (value instanceof StarlarkFloat) return value.value;
  throw fault(`got ${typeName(value)}, want float or int`);
};

function unaryFunction(name: string, fn: (x: number) => number): [string, Builtin] {
  const builtin = makeBuiltin(name, (_thread, args, kwargs) => {
    const [x] = unpackPositional(name, args, kwargs, 1, [number]);
    return new StarlarkFloat(fn(x!));
  });
  return [name, builtin];
}

function binaryFunction(name: string, fn: (x: number, y: number) => number): [string, Builtin] {
  const builtin = makeBuiltin(name, (_thread, args, kwargs) => {
    const [x, y] = unpackPositional(name, args, kwargs, 2, [number, number]);
    return new StarlarkFloat(fn(x!, y!));
  });
  return [name, builtin];
}

function integral(name: string, fn: (x: number) => number): [string, Builtin] {
  const builtin = makeBuiltin(name, (_thread, args, kwargs): Value => {
    const [x] = unpackPositional(name, args, kwargs, 1, [types.value]);
    if (isInt(x)) return x;
    if (x instanceof StarlarkFloat) return numberToInt(new StarlarkFloat(fn(x.value)), typeName);
    throw fault(`got ${typeName(x!)}, want float or int`);
  });
  return [name, builtin];
}

/** Half away from zero. */
function round(x: number): number {
  const truncated = Math.trunc(x);
  return Math.abs(x - truncated) >= 0.5 ? truncated + Math.sign(x) : truncated;
}

function copysign(x: number, y: number): number {
  const negative = y < 0 || Object.is(y, -0);
  return negative ? -Math.abs(x) : Math.abs(x);
}

/** The IEEE 754 remainder: the quotient is rounded to nearest, ties to even. */
function remainder(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y) || !Number.isFinite(x) || y === 0) return Number.NaN;
  if (!Number.isFinite(y)) return x;
  const divisor = Math.abs(y);
  let rest = Math.abs(x) % (divisor * 2 > Number.MAX_VALUE ? divisor : divisor * 2);
  const half = divisor / 2;
  if (rest > half) {
    rest -= divisor;
    if (rest >= half) rest -= divisor;
  }
  return x < 0 ? -rest : rest;
}

/** Go's special cases where JavaScript's power differs: 1 to any power, and -1 to an infinite one. */
function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y))) return 1;
  return x ** y;
}

/* Coefficients of the Cephes library, for the range 2 to 3 and for Stirling's series. */
const GAMMA_P = [
  0.00016011952247675185, 0.0011913514700658638, 0.010421379756176158, 0.04763678004571372,
  0.20744822764843598, 0.4942148268014971, 1.0,
];
const GAMMA_Q = [
  -2.3158187332412014e-5, 0.0005396055804933034, -0.004456419138517973, 0.011813978522206043,
  0.035823639860549865, -0.23459179571824335, 0.0714304917030273, 1.0,
];
const STIRLING = [
  0.0007873113957930937, -0.00022954996161337813, -0.0026813261780578124, 0.0034722222160545866,
  0.08333333333334822,
];

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}

function stirling(x: number): number {
  if (x > 200) return Number.POSITIVE_INFINITY;
  const w = 1 + polynomial(STIRLING, 1 / x) / x;
  // The power is taken in two halves where it would overflow.
  const power =
    x > 143.01608 ? (x ** (0.5 * x - 0.25)) ** 2 / Math.exp(x) : x ** (x - 0.5) / Math.exp(x);
  return 2.5066282746310007 * power * w;
}

function gamma(argument: number): number {
  let x = argument;
  if ((Number.isInteger(x) && x < 0) || x === Number.NEGATIVE_INFINITY || Number.isNaN(x))
    return Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  if (x === 0) return Object.is(x, -0) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (Math.abs(x) > 33) {
    if (x >= 0) return stirling(x);
    return (Math.PI / (-x * Math.sin(Math.PI * -x) * stirling(-x))) * -1;
  }
  let z = 1;
  while (x >= 3) {
    x -= 1;
    z *= x;
  }
  while (x < 2) {
    if (Math.abs(x) < 1e-9) return z / ((1 + 0.5772156649015329 * x) * x);
    z /= x;
    x += 1;
  }
  if (x === 2) return z;
  return (z * polynomial(GAMMA_P, x - 2)) / polynomial(GAMMA_Q, x - 2);
}

const log = makeBuiltin("log", (_thread, args, kwargs) => {
  const [x, base = Math.E] = unpackPositional("log", args, kwargs, 1, [number, number]);
  if (base === 1) throw fault("division by zero");
  return new StarlarkFloat(Math.log(x!) / Math.log(base));
});

/** starlark-go's math module. */
export function makeMathModule(): StarlarkModule {
  const unary = (["exp", "sqrt", "acos", "asin", "atan", "cos", "sin", "tan"] as const).map(
    (name) => unaryFunction(name, Math[name]),
  );
  const hyperbolic = (["acosh", "asinh", "atanh", "cosh", "sinh", "tanh"] as const).map((name) =>
    unaryFunction(name, Math[name]),
  );
  return new StarlarkModule("math", [
    integral("ceil", Math.ceil),
    integral("floor", Math.floor),
    unaryFunction("fabs", Math.abs),
    unaryFunction("round", round),
    unaryFunction("degrees", (x) => (360 * x) / (2 * Math.PI)),
    unaryFunction("radians", (x) => (2 * Math.PI * x) / 360),
    unaryFunction("gamma", gamma),
    binaryFunction("copysign", copysign),
    binaryFunction("mod", (x, y) => x % y),
    binaryFunction("pow", pow),
    binaryFunction("remainder", remainder),
    binaryFunction("atan2", Math.atan2),
    binaryFunction("hypot", (x, y) => Math.hypot(x, y)),
    ...unary,
    ...hyperbolic,
    ["log", log],
    ["e", new StarlarkFloat(Math.E)],
    ["pi", new StarlarkFloat(Math.PI)],
  ]);
}
