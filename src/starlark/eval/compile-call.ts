import type { Argument, CallExpr, Expr, SpecialArgument } from "../syntax/ast.ts";
import type { AnyMethod } from "../universe/attributes.ts";
import { findMethod } from "../universe/attributes.ts";
import { elementsOf } from "../values/access.ts";
import { fault } from "../values/fault.ts";
import { Builtin, StarlarkFunction } from "../values/function.ts";
import { typeName } from "../values/repr.ts";
import { ascii, type StarlarkString, toJsString } from "../values/text.ts";
import type { Value } from "../values/value.ts";
import {
  type Code,
  callPlain,
  callValue,
  enter,
  mergeKwargs,
  NO_KWARGS,
  placeAt,
  placeDirect,
} from "./call.ts";
import { attribute } from "./compile-access.ts";
import { unparen } from "./compile-binary.ts";
import type { Compiler } from "./compiler.ts";
import { type Evaluate, type Frame, newFrame } from "./frame.ts";
import { type Site, vm } from "./vm.ts";

/*
 * Calls. Most pass a few arguments by position to a function of the program, a builtin, or a method of a built-in
 * type: each has a path without argument arrays. A method called at once, `x.m(…)`, is not bound to its receiver.
 */

function isSpecial(arg: Argument): arg is SpecialArgument {
  return arg.kind === "named" || arg.kind === "star" || arg.kind === "starstar";
}

/** Compiles a call. */
export function compileCall(c: Compiler, e: CallExpr): Evaluate {
  const callee = unparen(e.callee);
  const site = c.site(e.pos);
  if (e.args.some(isSpecial)) return compileGeneralCall(c, callee, e.args, site);
  const args = (e.args as readonly Expr[]).map((arg) => c.expr(arg));
  if (callee.kind === "dot" && args.length <= 3) {
    const dotSite = c.site(callee.pos);
    return compileMethodCall(c.expr(callee.object), toJsString(callee.name), args, dotSite, site);
  }
  return compilePositionalCall(c.expr(callee), args, site);
}

function compilePositionalCall(callee: Evaluate, args: readonly Evaluate[], site: Site): Evaluate {
  const [first, second, third] = args as [Evaluate, Evaluate, Evaluate];
  switch (args.length) {
    case 0:
      return (f) => call0(callee(f), site);
    case 1:
      return (f) => call1(callee(f), first(f), site);
    case 2:
      return (f) => call2(callee(f), first(f), second(f), site);
    case 3:
      return (f) => call3(callee(f), first(f), second(f), third(f), site);
    default:
      return (f) => {
        const fn = callee(f);
        const values: Value[] = [];
        for (let i = 0; i < args.length; i++) values.push(args[i]!(f));
        return callValue(fn, values, NO_KWARGS, site);
      };
  }
}

function call0(callee: Value, site: Site): Value {
  if (callee instanceof StarlarkFunction) {
    const { code } = callee;
    if (code.plainCount === 0) return callPlain(callee, code, newFrame(code.slotCount), site);
  }
  return callValue(callee, [], NO_KWARGS, site);
}

function call1(callee: Value, a: Value, site: Site): Value {
  if (callee instanceof StarlarkFunction) {
    const { code } = callee;
    if (code.plainCount === 1) {
      const frame = newFrame(code.slotCount);
      frame[0] = a;
      return callPlain(callee, code, frame, site);
    }
  } else if (callee instanceof Builtin) {
    const { direct } = callee;
    if (direct !== undefined && direct.min <= 1 && direct.max >= 1) {
      try {
        return direct.fn(a);
      } catch (error) {
        throw placeDirect(error, callee, site);
      }
    }
  }
  return callValue(callee, [a], NO_KWARGS, site);
}

function call2(callee: Value, a: Value, b: Value, site: Site): Value {
  if (callee instanceof StarlarkFunction) {
    const { code } = callee;
    if (code.plainCount === 2) {
      const frame = newFrame(code.slotCount);
      frame[0] = a;
      frame[1] = b;
      return callPlain(callee, code, frame, site);
    }
  } else if (callee instanceof Builtin) {
    const { direct } = callee;
    if (direct !== undefined && direct.min <= 2 && direct.max >= 2) {
      try {
        return direct.fn(a, b);
      } catch (error) {
        throw placeDirect(error, callee, site);
      }
    }
  }
  return callValue(callee, [a, b], NO_KWARGS, site);
}

function call3(callee: Value, a: Value, b: Value, d: Value, site: Site): Value {
  if (callee instanceof StarlarkFunction) {
    const { code } = callee;
    if (code.plainCount === 3) {
      const frame = newFrame(code.slotCount);
      frame[0] = a;
      frame[1] = b;
      frame[2] = d;
      return callPlain(callee, code, frame, site);
    }
  } else if (callee instanceof Builtin) {
    const { direct } = callee;
    if (direct !== undefined && direct.min <= 3 && direct.max >= 3) {
      try {
        return direct.fn(a, b, d);
      } catch (error) {
        throw placeDirect(error, callee, site);
      }
    }
  }
  return callValue(callee, [a, b, d], NO_KWARGS, site);
}

function invokeMethod(
  method: AnyMethod,
  receiver: Value,
  args: readonly Value[],
  site: Site,
): Value {
  try {
    return method.invoke(receiver as never, args, NO_KWARGS);
  } catch (error) {
    throw placeDirect(error, method.builtin, site);
  }
}

function compileMethodCall(
  object: Evaluate,
  name: string,
  args: readonly Evaluate[],
  dotSite: Site,
  site: Site,
): Evaluate {
  const [first, second, third] = args as [Evaluate, Evaluate, Evaluate];
  const count = args.length;
  /** Calls what the attribute is, when it is no method of a built-in type that takes so many arguments. */
  const otherwise = (f: Frame, receiver: Value, method: AnyMethod | undefined): Value => {
    const callee = method === undefined ? attribute(receiver, name, dotSite) : undefined;
    const values = args.map((arg) => arg(f));
    if (callee !== undefined) return callFew(callee, values, site);
    return invokeMethod(method!, receiver, values, site);
  };
  return (f) => {
    const receiver = object(f);
    const method = findMethod(receiver, name);
    if (method === undefined || count < method.min || count > method.max)
      return otherwise(f, receiver, method);
    const a = count > 0 ? first(f) : undefined;
    const b = count > 1 ? second(f) : undefined;
    const d = count > 2 ? third(f) : undefined;
    try {
      return method.direct(receiver as never, a, b, d);
    } catch (error) {
      throw placeDirect(error, method.builtin, site);
    }
  };
}

function callFew(callee: Value, args: readonly Value[], site: Site): Value {
  switch (args.length) {
    case 0:
      return call0(callee, site);
    case 1:
      return call1(callee, args[0]!, site);
    default:
      return callValue(callee, args, NO_KWARGS, site);
  }
}

/** The parts of a call with named arguments or operands of `*` and `**`. */
interface GeneralCall {
  readonly positional: readonly Evaluate[];
  readonly names: readonly StarlarkString[];
  readonly named: readonly Evaluate[];
  readonly star: Evaluate | undefined;
  readonly starstar: Evaluate | undefined;
  readonly site: Site;
}

function compileGeneralCall(
  c: Compiler,
  callee: Expr,
  args: readonly Argument[],
  site: Site,
): Evaluate {
  const positional: Evaluate[] = [];
  const names: StarlarkString[] = [];
  const named: Evaluate[] = [];
  let star: Evaluate | undefined;
  let starstar: Evaluate | undefined;
  for (const arg of args) {
    if (!isSpecial(arg)) positional.push(c.expr(arg));
    else if (arg.kind === "star") star = c.expr(arg.value);
    else if (arg.kind === "starstar") starstar = c.expr(arg.value);
    else {
      names.push(ascii(arg.name));
      named.push(c.expr(arg.value));
    }
  }
  const call: GeneralCall = { positional, names, named, star, starstar, site };
  if (star === undefined && starstar === undefined) return compileNamedCall(c, callee, call);
  return compileSpreadCall(c, callee, call);
}

function compileSpreadCall(c: Compiler, callee: Expr, call: GeneralCall): Evaluate {
  const { positional, names, named, star, starstar, site } = call;
  const target = c.expr(callee);
  return (f) => {
    const invoke = target(f);
    const values = positional.map((evaluate) => evaluate(f));
    const kwargs = named.map((evaluate, i): [StarlarkString, Value] => [names[i]!, evaluate(f)]);
    const more = star?.(f);
    const operand = starstar?.(f);
    try {
      if (operand !== undefined) mergeKwargs(kwargs, operand);
      if (more !== undefined) spread(values, more);
    } catch (error) {
      throw placeAt(error, site);
    }
    return callValue(invoke, values, kwargs, site);
  };
}

function spread(values: Value[], operand: Value): void {
  const elems = elementsOf(operand);
  if (elems === undefined)
    throw fault(`argument after * must be iterable, not ${typeName(operand)}`);
  for (const elem of elems) values.push(elem);
}

/** How a call's arguments fall into the frame of one function: worked out once for each function called. */
interface Plan {
  readonly code: Code;
  /** The slots of the named arguments. */
  readonly slots: readonly number[];
  /** The slots that defaults must fill. */
  readonly defaults: readonly number[];
}

/** The plan for a function, if the arguments fit it without surplus; whether the defaults exist is seen later. */
function makePlan(
  code: Code,
  positionalCount: number,
  names: readonly StarlarkString[],
): Plan | undefined {
  const { paramNames, numKwonly, hasKwargs, hasVarargs, recursion } = code;
  if (!recursion || hasKwargs || hasVarargs || positionalCount > paramNames.length - numKwonly)
    return undefined;
  const slots = names.map((name) => paramNames.indexOf(name));
  if (slots.some((slot) => slot < positionalCount)) return undefined;
  const defaults: number[] = [];
  for (let i = positionalCount; i < paramNames.length; i++)
    if (!slots.includes(i)) defaults.push(i);
  return { code, slots, defaults };
}

function compileNamedCall(c: Compiler, callee: Expr, call: GeneralCall): Evaluate {
  const { positional, names, named, site } = call;
  const target = c.expr(callee);
  let plan: Plan | undefined;
  let rejected: Code | undefined;
  return (f) => {
    const fn = target(f);
    if (fn instanceof StarlarkFunction && fn.code !== rejected) {
      if (plan?.code !== fn.code) {
        const made = makePlan(fn.code, positional.length, names);
        if (made === undefined) rejected = fn.code;
        else plan = made;
      }
      if (plan?.code === fn.code) return callPlanned(f, fn, plan, call);
    }
    const values = positional.map((evaluate) => evaluate(f));
    const kwargs = named.map((evaluate, i): [StarlarkString, Value] => [names[i]!, evaluate(f)]);
    return callValue(fn, values, kwargs, site);
  };
}

function callPlanned(f: Frame, fn: StarlarkFunction, plan: Plan, call: GeneralCall): Value {
  const { positional, named, site } = call;
  const { code, slots, defaults } = plan;
  const frame = newFrame(code.slotCount);
  for (let i = 0; i < positional.length; i++) frame[i] = positional[i]!(f);
  for (let i = 0; i < slots.length; i++) frame[slots[i]!] = named[i]!(f);
  for (let i = 0; i < defaults.length; i++) {
    const value = fn.defaults[defaults[i]!];
    if (value === undefined) return callMissing(frame, fn, call);
    frame[defaults[i]!] = value;
  }
  return callPlain(fn, code, frame, site);
}

/** Reports that a required parameter has no argument. */
function callMissing(
  frame: Frame,
  fn: StarlarkFunction,
  { positional, names, site }: GeneralCall,
): Value {
  const values = frame.slice(0, positional.length) as Value[];
  const kwargs = names.map((name): [StarlarkString, Value] => {
    return [name, frame[fn.code.paramNames.indexOf(name)] as Value];
  });
  enter(site);
  try {
    return fn.code.call(fn, values, kwargs);
  } finally {
    vm.depth--;
  }
}
