import { symmetricDifference } from "../eval/operators.ts";
import { checkPositional, isIterable } from "../eval/unpack.ts";
import { elementsOf } from "../values/access.ts";
import { StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import { typeName } from "../values/repr.ts";
import type { Kwargs, Value } from "../values/value.ts";
import { type Method, method, methodTable, named, variadicMethod, wantIterable } from "./method.ts";

/** The elements of an operand that a method takes. */
function operand(name: string, value: Value, place = 1): Value[] {
  const elems = elementsOf(wantIterable(name, place, value))!;
  charge(elems.length >> 3);
  return elems;
}

function addAll(set: StarlarkSet, args: readonly Value[], kwargs: Kwargs): void {
  if (kwargs.length > 0) throw fault("does not accept keyword arguments");
  args.forEach((arg, i) => {
    if (!isIterable(arg)) throw fault(`argument #${i + 1} is not iterable: ${typeName(arg)}`);
    if (arg === set && set.size > 0) throw fault("cannot insert into hash table during iteration");
    for (const elem of elementsOf(arg)!) set.insert(elem);
  });
}

function remove(set: StarlarkSet, elem: Value): null {
  if (named("remove", () => set.delete(elem)) === undefined) throw fault("remove: missing key");
  return null;
}

function pop(set: StarlarkSet): Value {
  const elem = set.firstKey();
  if (elem === undefined) throw fault("pop: empty set");
  named("pop", () => set.delete(elem));
  return elem;
}

function intersection(set: StarlarkSet, others: readonly Value[]): StarlarkSet {
  return StarlarkSet.from(others.filter((other) => set.has(other)));
}

function difference(set: StarlarkSet, others: readonly Value[]): StarlarkSet {
  const result = set.copy();
  for (const other of others) result.delete(other);
  return result;
}

/** The same in the order of the set that is changed. */
function intersectionInOrder(set: StarlarkSet, others: readonly Value[]): StarlarkSet {
  const known = StarlarkSet.from(others);
  return StarlarkSet.from(set.elems().filter((elem) => known.has(elem)));
}

/** Makes the set's elements those of another set. */
function become(set: StarlarkSet, other: StarlarkSet): null {
  const elems = other.elems();
  set.clear();
  for (const elem of elems) set.insert(elem);
  return null;
}

/** A method that takes an iterable; its errors bear its name. */
function withOperand(
  name: string,
  body: (set: StarlarkSet, others: Value[]) => Value,
): Method<StarlarkSet> {
  // starlark-go counts the parameter as optional, and needs it all the same.
  return method(name, 0, 1, (set, value) => {
    if (value === undefined) throw fault(`${name}: got 0 arguments, want 1`);
    const others = operand(name, value);
    return named(name, () => body(set, others));
  });
}

/** A method that changes the set, with one iterable after the other. */
function updating(
  name: string,
  body: (set: StarlarkSet, others: Value[]) => StarlarkSet,
): Method<StarlarkSet> {
  return variadicMethod(name, (set, args, kwargs) => {
    checkPositional(name, args, kwargs, 0, args.length);
    const others = args.map((arg, i) => operand(name, arg, i + 1));
    return named(name, () => become(set, others.reduce(body, set)));
  });
}

function isSubset(set: StarlarkSet, others: Value[]): boolean {
  const known = StarlarkSet.from(others.filter((other) => set.has(other)));
  return known.size === set.size;
}

const methods: Method<StarlarkSet>[] = [
  method("add", 1, 1, (set, elem) => {
    named("add", () => {
      set.checkMutable("insert into");
      set.insert(elem!);
    });
    return null;
  }),
  method("clear", 0, 0, (set) => {
    if (set.size > 0) named("clear", () => set.clear());
    return null;
  }),
  withOperand("difference", difference),
  method("discard", 1, 1, (set, elem) => {
    named("discard", () => set.delete(elem!));
    return null;
  }),
  withOperand("intersection", intersection),
  withOperand("issubset", isSubset),
  withOperand("issuperset", (set, others) => others.every((other) => set.has(other))),
  method("pop", 0, 0, pop),
  method("remove", 1, 1, (set, elem) => remove(set, elem!)),
  withOperand("symmetric_difference", symmetricDifference),
  variadicMethod("union", (set, args, kwargs) => {
    const union = set.copy();
    named("union", () => addAll(union, args, kwargs));
    return union;
  }),
  variadicMethod("update", (set, args, kwargs) => {
    named("update", () => addAll(set, args, kwargs));
    return null;
  }),
];

/** The specification's methods that starlark-go lacks: they work, but `dir` does not name them. */
const hidden: Method<StarlarkSet>[] = [
  withOperand("isdisjoint", (set, others) => !others.some((other) => set.has(other))),
  updating("difference_update", difference),
  updating("intersection_update", intersectionInOrder),
  withOperand("symmetric_difference_update", (set, others) =>
    become(set, symmetricDifference(set, others)),
  ),
];

/** The methods of sets that `dir` names. */
export const setMethods = methodTable(methods);

/** The other methods of sets. */
export const hiddenSetMethods = methodTable(hidden);
