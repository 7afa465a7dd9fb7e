import type { DotExpr, IndexExpr, NameExpr, SliceExpr } from "../syntax/ast.ts";
import { getAttr } from "../universe/attributes.ts";
import { getIndex, slice } from "../values/access.ts";
import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import type { Cell } from "../values/function.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { ascii, toJsString } from "../values/text.ts";
import type { Value } from "../values/value.ts";
import { placeAt } from "./call.ts";
import type { Compiler } from "./compiler.ts";
import type { Evaluate } from "./frame.ts";
import type { Site } from "./vm.ts";

/* Names, attributes, indices and slices, as values. */

function unassigned(kind: "local" | "global", name: string, site: Site): never {
  throw placeAt(fault(`${kind} variable ${name} referenced before assignment`), site);
}

/** Compiles the use of a name. */
export function compileName(c: Compiler, e: NameExpr): Evaluate {
  const binding = e.binding!;
  const { name } = binding;
  switch (binding.scope) {
    case "global": {
      const { globals } = c.module;
      const { index } = binding;
      const site = c.site(e.pos);
      return () => {
        const value = globals[index];
        return value === undefined ? unassigned("global", name, site) : value;
      };
    }
    case "predeclared":
    case "universal": {
      const value = c.module.outside(name);
      return () => value;
    }
    case "local":
      return compileLocal(c, e);
    default: {
      const slot = c.slot(binding);
      const site = c.site(e.pos);
      return (f) => {
        const { value } = f[slot] as Cell;
        return value === undefined ? unassigned("local", name, site) : value;
      };
    }
  }
}

function compileLocal(c: Compiler, e: NameExpr): Evaluate {
  const binding = e.binding!;
  const slot = c.slot(binding);
  if (c.isParameter(binding)) return (f) => f[slot] as Value;
  const { name } = binding;
  const site = c.site(e.pos);
  return (f) => {
    const value = f[slot] as Value | undefined;
    return value === undefined ? unassigned("local", name, site) : value;
  };
}

/** `object.name`. */
export function attribute(object: Value, name: string, site: Site): Value {
  try {
    return getAttr(object, name);
  } catch (error) {
    throw placeAt(error, site);
  }
}

/** Compiles an attribute. */
export function compileDot(c: Compiler, e: DotExpr): Evaluate {
  const object = c.expr(e.object);
  const name = toJsString(e.name);
  const site = c.site(e.pos);
  return (f) => attribute(object(f), name, site);
}

function slowIndexed(object: Value, index: Value, site: Site): Value {
  try {
    return getIndex(object, index);
  } catch (error) {
    throw placeAt(error, site);
  }
}

/** `object[index]`. */
export function indexed(object: Value, index: Value, site: Site): Value {
  if (object instanceof StarlarkDict) {
    if (typeof index === "string" || typeof index === "number") {
      const value = object.get(index);
      if (value !== undefined) return value;
    }
  } else if (typeof index === "number") {
    if (object instanceof StarlarkList || object instanceof StarlarkTuple) {
      const { elems } = object;
      const place = index < 0 ? index + elems.length : index;
      if (place >= 0 && place < elems.length) return elems[place]!;
    } else if (typeof object === "string" && index >= 0 && index < object.length) {
      return ascii(object[index]!);
    }
  }
  return slowIndexed(object, index, site);
}

/** Compiles an index. */
export function compileIndex(c: Compiler, e: IndexExpr): Evaluate {
  const object = c.expr(e.object);
  const index = c.expr(e.index);
  const site = c.site(e.pos);
  return (f) => indexed(object(f), index(f), site);
}

const none: Evaluate = () => null;

/** Compiles a slice. */
export function compileSlice(c: Compiler, e: SliceExpr): Evaluate {
  const object = c.expr(e.object);
  const lo = e.lo === undefined ? none : c.expr(e.lo);
  const hi = e.hi === undefined ? none : c.expr(e.hi);
  const step = e.step === undefined ? none : c.expr(e.step);
  const site = c.site(e.pos);
  return (f) => {
    const o = object(f);
    const from = lo(f);
    const to = hi(f);
    const by = step(f);
    try {
      return slice(o, from, to, by);
    } catch (error) {
      throw placeAt(error, site);
    }
  };
}
