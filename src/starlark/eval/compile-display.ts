import type { ComprehensionExpr, DictExpr, Expr, ForClause } from "../syntax/ast.ts";
import { StarlarkDict } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { MAX_ELEMENTS, StarlarkList, StarlarkTuple, tooLong } from "../values/list.ts";
import { repr } from "../values/repr.ts";
import type { StarlarkString } from "../values/text.ts";
import type { Value } from "../values/value.ts";
import { placeAt } from "./call.ts";
import { compileStore } from "./compile-assign.ts";
import type { Compiler } from "./compiler.ts";
import type { Evaluate, Frame } from "./frame.ts";
import { forEach } from "./iterate.ts";
import type { Site } from "./vm.ts";

/** The elements of a list or tuple display. */
function compileElements(c: Compiler, exprs: readonly Expr[]): (frame: Frame) => Value[] {
  const elems = exprs.map((expr) => c.expr(expr));
  const [first, second, third] = elems as [Evaluate, Evaluate, Evaluate];
  switch (elems.length) {
    case 0:
      return () => [];
    case 1:
      return (f) => [first(f)];
    case 2:
      return (f) => [first(f), second(f)];
    case 3:
      return (f) => [first(f), second(f), third(f)];
    default:
      return (f) => {
        const values: Value[] = [];
        for (let i = 0; i < elems.length; i++) values.push(elems[i]!(f));
        return values;
      };
  }
}

/** Compiles a list display. */
export function compileList(c: Compiler, exprs: readonly Expr[]): Evaluate {
  const elems = compileElements(c, exprs);
  return (f) => new StarlarkList(elems(f));
}

/** Compiles a tuple display. */
export function compileTuple(c: Compiler, exprs: readonly Expr[]): Evaluate {
  const elems = compileElements(c, exprs);
  return (f) => new StarlarkTuple(elems(f));
}

/** Adds an entry of a dict display, in which keys must differ. */
export function insertEntry(dict: StarlarkDict, key: Value, value: Value, site: Site): void {
  try {
    if (dict.insert(key, value)) return;
    throw fault(`duplicate key: ${repr(key)}`);
  } catch (error) {
    throw placeAt(error, site);
  }
}

/** The keys of a dict display, if they are different string literals. */
function literalKeys({ entries }: DictExpr): StarlarkString[] | undefined {
  const keys = new Set<StarlarkString>();
  for (const { key } of entries) {
    if (key.kind !== "literal" || typeof key.value !== "string") return undefined;
    keys.add(key.value);
  }
  return keys.size === entries.length ? [...keys] : undefined;
}

/** A dict display whose keys are known needs no look-up: it copies the keys, and puts the values beside them. */
function compileRecord(c: Compiler, e: DictExpr, keys: StarlarkString[]): Evaluate {
  const values = e.entries.map(({ value }) => c.expr(value));
  const blank: Value[] = values.map(() => null);
  return (f) => {
    const taken = blank.slice();
    for (let i = 0; i < values.length; i++) taken[i] = values[i]!(f);
    return new StarlarkDict(keys.slice(), taken);
  };
}

/** Compiles a dict display. */
export function compileDict(c: Compiler, e: DictExpr): Evaluate {
  const keys = literalKeys(e);
  if (keys !== undefined && keys.length > 0) return compileRecord(c, e, keys);
  const entries = e.entries.map(({ key, value, pos }) => ({
    key: c.expr(key),
    value: c.expr(value),
    site: c.site(pos),
  }));
  return (f) => {
    const dict = new StarlarkDict();
    for (let i = 0; i < entries.length; i++) {
      const { key, value, site } = entries[i]!;
      const k = key(f);
      insertEntry(dict, k, value(f), site);
    }
    return dict;
  };
}

/** Adds what one pass through the clauses gives to the list or dict that is being made. */
type Clause<A> = (frame: Frame, result: A) => undefined;

function compileClauses<A>(c: Compiler, e: ComprehensionExpr, body: Clause<A>): Clause<A> {
  let inner = body;
  for (const clause of e.clauses.toReversed()) {
    if (clause.kind === "if") {
      const test = c.test(clause.test);
      const then = inner;
      inner = (f, result) => (test(f) ? then(f, result) : undefined);
    } else inner = compileForClause(c, clause, inner);
  }
  return inner;
}

function compileForClause<A>(c: Compiler, clause: ForClause, inner: Clause<A>): Clause<A> {
  const iterable = c.expr(clause.iterable);
  const site = c.site(clause.pos);
  const { vars } = clause;
  if (vars.kind === "name" && vars.binding!.scope === "local") {
    const slot = c.slot(vars.binding!);
    return (f, result) => {
      const turn = (frame: Frame, elem: Value): undefined => {
        frame[slot] = elem;
        inner(frame, result);
      };
      forEach(iterable(f), f, turn, site);
    };
  }
  const store = compileStore(c, vars, clause.pos);
  return (f, result) => {
    const turn = (frame: Frame, elem: Value): undefined => {
      store(frame, elem);
      inner(frame, result);
    };
    forEach(iterable(f), f, turn, site);
  };
}

/** Compiles a list or dict comprehension. */
export function compileComprehension(c: Compiler, e: ComprehensionExpr): Evaluate {
  if (e.body.kind === "entry") {
    const key = c.expr(e.body.key);
    const value = c.expr(e.body.value);
    const site = c.site(e.body.pos);
    const fill = compileClauses<StarlarkDict>(c, e, (f, dict) => {
      const k = key(f);
      const v = value(f);
      try {
        dict.set(k, v);
      } catch (error) {
        throw placeAt(error, site);
      }
    });
    return (f) => {
      const dict = new StarlarkDict();
      fill(f, dict);
      return dict;
    };
  }
  const elem = c.expr(e.body);
  const site = c.site(e.pos);
  const fill = compileClauses<Value[]>(c, e, (f, elems) => {
    if (elems.length === MAX_ELEMENTS) throw placeAt(tooLong(MAX_ELEMENTS + 1), site);
    elems.push(elem(f));
  });
  return (f) => {
    const elems: Value[] = [];
    fill(f, elems);
    return new StarlarkList(elems);
  };
}
