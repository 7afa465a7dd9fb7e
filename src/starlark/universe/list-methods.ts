import { extendList } from "../eval/operators.ts";
import { indices, placeOf } from "../values/access.ts";
import { equals } from "../values/compare.ts";
import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import type { StarlarkList } from "../values/list.ts";
import type { Value } from "../values/value.ts";
import { type Method, method, methodTable, named, wantInt, wantIterable } from "./method.ts";

function checkMutable(list: StarlarkList, name: string, verb: string): void {
  if (list.frozen || list.locks > 0) named(name, () => list.checkMutable(verb));
}

function indexOf(list: StarlarkList, value: Value, start?: Value, end?: Value): number {
  return named("index", () => {
    const { elems } = list;
    const [from, to] = indices(start, end, elems.length);
    charge((to - from) >> 4);
    for (let i = from; i < to; i++) if (equals(elems[i]!, value)) return i;
    throw fault("value not in list");
  });
}

function insert(list: StarlarkList, at: Value, value: Value): null {
  const index = wantInt("insert", 1, at);
  checkMutable(list, "insert", "insert into");
  list.elems.splice(index < 0 ? Math.max(0, index + list.elems.length) : index, 0, value);
  return null;
}

function pop(list: StarlarkList, at?: Value): Value {
  const { elems } = list;
  const index = at === undefined ? elems.length - 1 : wantInt("pop", 1, at);
  const place = named("pop", () => placeOf(index, elems.length, "list"));
  checkMutable(list, "pop", "pop from");
  if (place === elems.length - 1) return elems.pop()!;
  return elems.splice(place, 1)[0]!;
}

function remove(list: StarlarkList, value: Value): null {
  checkMutable(list, "remove", "remove from");
  const at = named("remove", () => list.elems.findIndex((elem) => equals(elem, value)));
  if (at < 0) throw fault("remove: element not found");
  list.elems.splice(at, 1);
  return null;
}

const methods: Method<StarlarkList>[] = [
  method("append", 1, 1, (list, value) => {
    if (list.frozen || list.locks > 0) checkMutable(list, "append", "append to");
    list.elems.push(value!);
    return null;
  }),
  method("clear", 0, 0, (list) => {
    checkMutable(list, "clear", "clear");
    list.elems.length = 0;
    return null;
  }),
  method("extend", 1, 1, (list, value) => {
    const iterable = wantIterable("extend", 1, value!);
    checkMutable(list, "extend", "extend");
    extendList(list, iterable);
    return null;
  }),
  method("index", 1, 3, (list, value, start, end) => indexOf(list, value!, start, end)),
  method("insert", 2, 2, (list, at, value) => insert(list, at!, value!)),
  method("pop", 0, 1, pop),
  method("remove", 1, 1, (list, value) => remove(list, value!)),
];

/** The methods of lists. */
export const listMethods = methodTable(methods);
