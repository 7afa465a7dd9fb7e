import { isIterable, types, unpack } from "../eval/unpack.ts";
import { currentThread } from "../eval/vm.ts";
import { elementsOf, lengthOf, toInt32 } from "../values/access.ts";
import { bytesToText, StarlarkBytes } from "../values/bytes.ts";
import { StarlarkDict, StarlarkSet } from "../values/dict.ts";
import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import { type Builtin, makeBuiltin } from "../values/function.ts";
import { hashText } from "../values/hash.ts";
import { addInts, isInt, type StarlarkInt } from "../values/int.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { StarlarkRange } from "../values/range.ts";
import { repr, str, truth, typeName } from "../values/repr.ts";
import { ascii, fromJsString, toJsString } from "../values/text.ts";
import { decodeRune, encodeRune, MAX_RUNE, runes, transcode } from "../values/unicode.ts";
import type { Kwargs, Value } from "../values/value.ts";
import { attrNames, findAttr } from "./attributes.ts";
import { updateDict } from "./dict-methods.ts";
import { positionalBuiltin, wantInt, wantInt64, wantIterable, wantString } from "./method.ts";
import { abs, float, int } from "./numbers.ts";
import { minmax, sorted } from "./sorting.ts";

/** A builtin of exactly one argument whose count message is its own. */
function unaryBuiltin(name: string, wanted: string, body: (x: Value) => Value): Builtin {
  const builtin = makeBuiltin(name, (_thread, args, kwargs) => {
    if (kwargs.length > 0) throw fault(`${name} does not accept keyword arguments`);
    if (args.length !== 1) throw fault(`${name}: got ${args.length} arguments, want ${wanted}`);
    return body(args[0]!);
  });
  builtin.direct = { min: 1, max: 1, fn: (x) => body(x!) };
  return builtin;
}

function bytes(x: Value): Value {
  if (x instanceof StarlarkBytes) return x;
  if (typeof x === "string") return new StarlarkBytes(transcode(x));
  if (!isIterable(x)) {
    throw fault(`bytes: got ${typeName(x)}, want string, bytes, or iterable of ints`);
  }
  let out = "";
  let i = 0;
  for (const elem of x.iterate!()) {
    if (!isInt(elem)) throw fault(`bytes: at index ${i}, got ${typeName(elem)}, want int`);
    if (elem < 0 || elem > 255) {
      throw fault(
        `bytes: at index ${i}, ${elem} out of range (want value in unsigned 8-bit range)`,
      );
    }
    out += String.fromCharCode(Number(elem));
    i++;
  }
  return new StarlarkBytes(out);
}

function chr(x: Value): Value {
  let n: number;
  try {
    n = toInt32(x);
  } catch (error) {
    throw fault(`chr: ${(error as Error).message}`);
  }
  if (n < 0) throw fault(`chr: Unicode code point ${n} out of range (<0)`);
  if (n > MAX_RUNE) {
    throw fault(
      `chr: Unicode code point U+${n.toString(16).toUpperCase()} out of range (>0x10FFFF)`,
    );
  }
  return ascii(encodeRune(n));
}

function ord(x: Value): Value {
  if (typeof x === "string") {
    if (x === "" || decodeRune(x, 0).size !== x.length) {
      throw fault(`ord: string encodes ${runes(x).length} Unicode code points, want 1`);
    }
    return decodeRune(x, 0).rune;
  }
  if (!(x instanceof StarlarkBytes)) throw fault(`ord: got ${typeName(x)}, want string or bytes`);
  if (x.bytes.length !== 1) throw fault(`ord: bytes has length ${x.bytes.length}, want 1`);
  return x.bytes.charCodeAt(0);
}

function dict(args: readonly Value[], kwargs: Kwargs): Value {
  if (args.length > 1) throw fault(`dict: got ${args.length} arguments, want at most 1`);
  if (args.length === 1 && kwargs.length === 0 && args[0] instanceof StarlarkDict)
    return args[0].copy();
  const result = new StarlarkDict();
  try {
    updateDict(result, args, kwargs);
  } catch (error) {
    throw new Error(`dict: ${(error as Error).message}`);
  }
  return result;
}

function enumerate(iterable: Value, start?: Value): Value {
  const elems = elementsOf(wantIterable("enumerate", 1, iterable))!;
  if (start !== undefined) wantInt("enumerate", 2, start);
  const first = (start ?? 0) as StarlarkInt;
  charge(elems.length >> 2);
  return new StarlarkList(elems.map((elem, i) => new StarlarkTuple([addInts(first, i), elem])));
}

function joinArguments(
  args: readonly Value[],
  separator: string,
  text: (x: Value) => string,
): string {
  return args.map(text).join(separator);
}

function getattr(object: Value, name: Value, fallback?: Value): Value {
  const text = toJsString(wantString("getattr", 2, name));
  const attr = findAttr(object, text);
  if (attr !== undefined) return attr;
  if (fallback !== undefined) return fallback;
  throw fault(`getattr: ${typeName(object)} has no .${fromJsString(text)} field or method`);
}

/** Java's String.hashCode over the UTF-16 form. */
function javaHash(text: string): number {
  let hash = 0;
  const wide = toJsString(text);
  for (let i = 0; i < wide.length; i++) hash = (Math.imul(31, hash) + wide.charCodeAt(i)) | 0;
  return hash;
}

function hash(x: Value): Value {
  if (typeof x === "string") return javaHash(x);
  if (x instanceof StarlarkBytes) return hashText(x.bytes) >>> 0;
  throw fault(`hash: got ${typeName(x)}, want string or bytes`);
}

function len(x: Value): Value {
  if (x instanceof StarlarkRange) return x.count;
  const length = lengthOf(x);
  if (length < 0) throw fault(`len: value of type ${typeName(x)} has no len`);
  return length;
}

function listOf(name: string, iterable?: Value): Value[] {
  if (iterable === undefined) return [];
  const elems = elementsOf(wantIterable(name, 1, iterable))!;
  charge(elems.length >> 3);
  return elems;
}

function range(a: Value, b?: Value, c?: Value): Value {
  const first = wantInt64("range", 1, a);
  const second = b === undefined ? undefined : wantInt64("range", 2, b);
  const step = c === undefined ? 1 : wantInt64("range", 3, c);
  if (step === 0) throw fault("range: step argument must not be zero");
  return second === undefined
    ? new StarlarkRange(0, first, 1)
    : new StarlarkRange(first, second, step);
}

function set(iterable?: Value): Value {
  const elems = listOf("set", iterable);
  try {
    return StarlarkSet.from(elems);
  } catch (error) {
    throw fault(`set: ${(error as Error).message}`);
  }
}

function zip(args: readonly Value[], kwargs: Kwargs): Value {
  if (kwargs.length > 0) throw fault("zip does not accept keyword arguments");
  if (args.some((arg) => lengthOf(arg) < 0 && isIterable(arg))) return zipEndless(args);
  const columns = args.map((arg, i) => {
    const elems = elementsOf(arg);
    if (elems === undefined)
      throw fault(`zip: argument #${i + 1} is not iterable: ${typeName(arg)}`);
    return elems;
  });
  const rows = columns.length === 0 ? 0 : Math.min(...columns.map((column) => column.length));
  charge((rows * columns.length) >> 2);
  const out: Value[] = [];
  for (let i = 0; i < rows; i++) out.push(new StarlarkTuple(columns.map((column) => column[i]!)));
  return new StarlarkList(out);
}

/** Zips iterables some of which do not know their length, and may have no end. */
function zipEndless(args: readonly Value[]): Value {
  const iterators = args.map((arg, i) => {
    if (!isIterable(arg)) throw fault(`zip: argument #${i + 1} is not iterable: ${typeName(arg)}`);
    return arg.iterate!()[Symbol.iterator]();
  });
  const out: Value[] = [];
  for (;;) {
    const row: Value[] = [];
    for (const iterator of iterators) {
      const { done, value } = iterator.next();
      if (done) return new StarlarkList(out);
      row.push(value);
    }
    charge(row.length);
    out.push(new StarlarkTuple(row));
  }
}

/** Stops at the first element whose truth is `stop`. */
function anyTruth(name: string, iterable: Value, stop: boolean): boolean {
  for (const elem of wantIterable(name, 1, iterable).iterate!())
    if (truth(elem) === stop) return true;
  return false;
}

const SEP_PARAM = { "sep?": types.byteString } as const;

const builtins: Builtin[] = [
  positionalBuiltin("abs", 1, 1, (x) => abs(x!)),
  positionalBuiltin("all", 1, 1, (x) => !anyTruth("all", x!, false)),
  positionalBuiltin("any", 1, 1, (x) => anyTruth("any", x!, true)),
  positionalBuiltin("bool", 0, 1, (x) => x !== undefined && truth(x)),
  unaryBuiltin("bytes", "exactly 1", bytes),
  unaryBuiltin("chr", "1", chr),
  makeBuiltin("dict", (_thread, args, kwargs) => dict(args, kwargs)),
  unaryBuiltin("dir", "1", (x) => new StarlarkList(attrNames(x).map(fromJsString))),
  positionalBuiltin("enumerate", 1, 2, (x, start) => enumerate(x!, start)),
  makeBuiltin("fail", (_thread, args, kwargs) => {
    const { sep } = unpack("fail", [], kwargs, SEP_PARAM);
    const text = (x: Value) => (typeof x === "string" ? x : repr(x));
    throw fault(`fail: ${joinArguments(args, sep ?? " ", text)}`);
  }),
  makeBuiltin("float", (_thread, args, kwargs) => float(args, kwargs)),
  positionalBuiltin("getattr", 2, 3, (object, name, fallback) => getattr(object!, name!, fallback)),
  positionalBuiltin("hasattr", 2, 2, (object, name) => {
    return findAttr(object!, toJsString(wantString("hasattr", 2, name!))) !== undefined;
  }),
  positionalBuiltin("hash", 1, 1, (x) => hash(x!)),
  makeBuiltin("int", (_thread, args, kwargs) => int(args, kwargs)),
  positionalBuiltin("len", 1, 1, (x) => len(x!)),
  positionalBuiltin("list", 0, 1, (x) => new StarlarkList(listOf("list", x))),
  minmax("max", ">"),
  minmax("min", "<"),
  unaryBuiltin("ord", "1", ord),
  makeBuiltin("print", (thread, args, kwargs) => {
    const { sep } = unpack("print", [], kwargs, SEP_PARAM);
    const text = (x: Value) => (x instanceof StarlarkBytes ? x.bytes : str(x));
    const message = joinArguments(args, sep ?? " ", text);
    charge(message.length >> 6);
    thread.print?.(ascii(message), currentThread());
    return null;
  }),
  positionalBuiltin("range", 1, 3, (a, b, c) => range(a!, b, c)),
  positionalBuiltin("repr", 1, 1, (x) => repr(x!)),
  positionalBuiltin("reversed", 1, 1, (x) => new StarlarkList(listOf("reversed", x!).reverse())),
  positionalBuiltin("set", 0, 1, set),
  sorted,
  unaryBuiltin("str", "exactly 1", (x) => (x instanceof StarlarkBytes ? bytesToText(x) : str(x))),
  positionalBuiltin("tuple", 0, 1, (x) =>
    x instanceof StarlarkTuple ? x : new StarlarkTuple(listOf("tuple", x)),
  ),
  unaryBuiltin("type", "exactly 1", (x) => ascii(typeName(x))),
  makeBuiltin("zip", (_thread, args, kwargs) => zip(args, kwargs)),
];

/** The names that every file may use. */
export const UNIVERSE: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["None", null],
  ["True", true],
  ["False", false],
  ...builtins.map((builtin): [string, Value] => [builtin.name, builtin]),
]);
