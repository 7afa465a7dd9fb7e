import type { AssignStmt, Expr, NameExpr } from "../syntax/ast.ts";
import { setAttr } from "../universe/attributes.ts";
import { lengthOf, setIndex } from "../values/access.ts";
import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import type { Cell } from "../values/function.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { typeName } from "../values/repr.ts";
import { toJsString } from "../values/text.ts";
import type { BinaryOperator, Value } from "../values/value.ts";
import {
  minus,
  pipeInPlace,
  plusInPlace,
  quotient,
  remainder,
  slowBinary,
  times,
} from "./arithmetic.ts";
import { placeAt } from "./call.ts";
import { attribute, indexed } from "./compile-access.ts";
import { unparen } from "./compile-binary.ts";
import type { Compiler } from "./compiler.ts";
import type { Evaluate, Execute, Frame } from "./frame.ts";
import { isIterable } from "./unpack.ts";
import type { Site } from "./vm.ts";

/** Stores a value somewhere. */
export type Store = (frame: Frame, value: Value) => void;

function storeIndex(object: Value, index: Value, value: Value, site: Site): void {
  if (
    object instanceof StarlarkList &&
    typeof index === "number" &&
    !object.frozen &&
    object.locks === 0
  ) {
    const { elems } = object;
    const place = index < 0 ? index + elems.length : index;
    if (place >= 0 && place < elems.length) {
      elems[place] = value;
      return;
    }
  }
  try {
    if (object instanceof StarlarkDict) object.set(index, value);
    else setIndex(object, index, value);
  } catch (error) {
    throw placeAt(error, site);
  }
}

function storeAttribute(object: Value, name: string, value: Value, site: Site): void {
  try {
    setAttr(object, name, value);
  } catch (error) {
    throw placeAt(error, site);
  }
}

/** Compiles the assignment to a variable. */
export function compileStoreName(c: Compiler, { binding }: NameExpr): Store {
  const { scope, index } = binding!;
  if (scope === "global") {
    const { globals } = c.module;
    return (_f, value) => {
      globals[index] = value;
    };
  }
  const slot = c.slot(binding!);
  if (scope === "local") {
    return (f, value) => {
      f[slot] = value;
    };
  }
  return (f, value) => {
    (f[slot] as Cell).value = value;
  };
}

/** Compiles the assignment of one value to a target; `pos` is blamed when it cannot be unpacked. */
export function compileStore(c: Compiler, target: Expr, pos: number): Store {
  switch (target.kind) {
    case "name":
      return compileStoreName(c, target);
    case "paren":
      return compileStore(c, target.inner, pos);
    case "tuple":
    case "list":
      return compileUnpack(c, target.elems, pos);
    case "index": {
      const object = c.expr(target.object);
      const index = c.expr(target.index);
      const site = c.site(target.pos);
      return (f, value) => storeIndex(object(f), index(f), value, site);
    }
    case "dot": {
      const object = c.expr(target.object);
      const name = toJsString(target.name);
      const site = c.site(target.pos);
      return (f, value) => storeAttribute(object(f), name, value, site);
    }
    default:
      throw new Error(`unresolved assignment to ${target.kind}`);
  }
}

/** The first elements of an iterable: no more than `limit`, for it may have no end. */
function firstElements(value: Value, limit: number): Value[] | undefined {
  if (!isIterable(value)) return undefined;
  const elems: Value[] = [];
  for (const elem of value.iterate!()) if (elems.push(elem) === limit) break;
  return elems;
}

/** The elements of a value that is taken apart into so many; the array must not be changed. */
function unpackElements(value: Value, count: number, site: Site): readonly Value[] {
  const elems =
    value instanceof StarlarkTuple || value instanceof StarlarkList
      ? value.elems
      : firstElements(value, count + 1);
  if (elems === undefined)
    throw placeAt(fault(`got ${typeName(value)} in sequence assignment`), site);
  if (elems.length === count) return elems;
  const many = elems.length > count;
  const got = many ? lengthOf(value) : elems.length;
  throw placeAt(
    fault(`too ${many ? "many" : "few"} values to unpack (got ${got}, want ${count})`),
    site,
  );
}

function compileUnpack(c: Compiler, targets: readonly Expr[], pos: number): Store {
  const site = c.site(pos);
  const stores = targets.map((target) => compileStore(c, target, pos));
  const count = stores.length;
  if (count === 2) {
    const [first, second] = stores as [Store, Store];
    return (f, value) => {
      const elems = unpackElements(value, 2, site);
      const a = elems[0]!;
      const b = elems[1]!;
      first(f, a);
      second(f, b);
    };
  }
  return (f, value) => {
    // Taken first: an assignment may change the list.
    const elems = unpackElements(value, count, site).slice();
    for (let i = 0; i < count; i++) stores[i]!(f, elems[i]!);
  };
}

/** `a, b = x, y` needs no tuple: all the right side is evaluated, then all is assigned. */
function compilePairwise(
  c: Compiler,
  targets: readonly Expr[],
  values: readonly Expr[],
  pos: number,
): Execute {
  const stores = targets.map((target) => compileStore(c, target, pos));
  const evaluates = values.map((value) => c.expr(value));
  if (stores.length === 2) {
    const [first, second] = stores as [Store, Store];
    const [left, right] = evaluates as [Evaluate, Evaluate];
    return (f) => {
      const a = left(f);
      const b = right(f);
      first(f, a);
      second(f, b);
      return undefined;
    };
  }
  return (f) => {
    const taken = evaluates.map((evaluate) => evaluate(f));
    stores.forEach((store, i) => {
      store(f, taken[i]!);
    });
    return undefined;
  };
}

/** Compiles an assignment, plain or augmented. */
export function compileAssign(c: Compiler, stmt: AssignStmt): Execute {
  if (stmt.op !== "") return compileAugmented(c, stmt);
  const target = unparen(stmt.target);
  const value = unparen(stmt.value);
  if (
    target.kind === "tuple" &&
    value.kind === "tuple" &&
    target.elems.length === value.elems.length
  ) {
    return compilePairwise(c, target.elems, value.elems, stmt.pos);
  }
  const evaluate = c.expr(value);
  if (target.kind === "name" && target.binding!.scope === "local") {
    const slot = c.slot(target.binding!);
    return (f) => {
      f[slot] = evaluate(f);
      return undefined;
    };
  }
  const store = compileStore(c, target, stmt.pos);
  return (f) => {
    store(f, evaluate(f));
    return undefined;
  };
}

type Combine = (a: Value, b: Value, site: Site) => Value;

function combiner(op: string): Combine {
  switch (op) {
    case "+":
      return plusInPlace;
    case "|":
      return pipeInPlace;
    case "-":
      return minus;
    case "*":
      return times;
    case "%":
      return remainder;
    case "//":
      return quotient;
    default:
      return (a, b, site) => slowBinary(op as BinaryOperator, a, b, site);
  }
}

function compileAugmented(c: Compiler, stmt: AssignStmt): Execute {
  const target = unparen(stmt.target);
  const value = c.expr(stmt.value);
  const combine = combiner(stmt.op);
  const site = c.site(stmt.pos);
  switch (target.kind) {
    case "name":
      return compileAugmentedName(c, target, stmt.op, value, site);
    case "index": {
      const object = c.expr(target.object);
      const index = c.expr(target.index);
      const place = c.site(target.pos);
      return (f) => {
        const o = object(f);
        const i = index(f);
        storeIndex(o, i, combine(indexed(o, i, place), value(f), site), place);
        return undefined;
      };
    }
    case "dot": {
      const object = c.expr(target.object);
      const name = toJsString(target.name);
      const place = c.site(target.pos);
      return (f) => {
        const o = object(f);
        storeAttribute(o, name, combine(attribute(o, name, place), value(f), site), place);
        return undefined;
      };
    }
    default:
      throw new Error(`unresolved assignment to ${target.kind}`);
  }
}

function compileAugmentedName(
  c: Compiler,
  target: NameExpr,
  op: string,
  value: Evaluate,
  site: Site,
): Execute {
  const read = c.expr(target);
  const store = compileStoreName(c, target);
  const combine = combiner(op);
  if (target.binding!.scope === "local") {
    const slot = c.slot(target.binding!);
    if (op === "+") {
      return (f) => {
        const a = read(f);
        f[slot] = plusInPlace(a, value(f), site);
        return undefined;
      };
    }
    return (f) => {
      const a = read(f);
      f[slot] = combine(a, value(f), site);
      return undefined;
    };
  }
  return (f) => {
    const a = read(f);
    store(f, combine(a, value(f), site));
    return undefined;
  };
}
