import type { Thread } from "../eval/thread.ts";
import { types, unpackPositional } from "../eval/unpack.ts";
import { moduleBuiltin, structBuiltin } from "../universe/constructors.ts";
import { fault, NoSuchAttributeError } from "../values/fault.ts";
import { freeze } from "../values/freeze.ts";
import { identityHash, makeBuiltin } from "../values/function.ts";
import { makeInt } from "../values/int.ts";
import { StarlarkList } from "../values/list.ts";
import { StarlarkStruct } from "../values/struct.ts";
import { ascii, type StarlarkString, toJsString } from "../values/text.ts";
import { type BinaryOperator, HostValue, type Kwargs, type Value } from "../values/value.ts";
import { makeJsonModule } from "./json.ts";
import { makeMathModule } from "./math.ts";
import { makeTimeModule } from "./time.ts";

/* The values that the public test suites of the language expect besides the universe. */

/** A value whose fields can be set, except those that begin with `no`. */
class HasFields extends HostValue {
  readonly typeName = "hasfields";
  readonly #fields = new Map<string, Value>();
  #frozen = false;

  repr(): StarlarkString {
    return ascii("hasfields");
  }

  override hash(): number {
    return 42;
  }

  override freeze(): void {
    if (this.#frozen) return;
    this.#frozen = true;
    for (const value of this.#fields.values()) freeze(value);
  }

  override getAttr(name: string): Value | undefined {
    return this.#fields.get(name);
  }

  override setAttr(name: string, value: Value): void {
    if (this.#frozen) throw fault("cannot set field on a frozen hasfields");
    if (name.startsWith("no")) throw new NoSuchAttributeError(`no .${name} field`);
    this.#fields.set(name, value);
  }

  override attrNames(): string[] {
    return [...this.#fields.keys()];
  }

  override binary(op: BinaryOperator, other: Value): Value | undefined {
    return op === "+" && other instanceof StarlarkList ? 42 : undefined;
  }
}

/** The Fibonacci numbers, without end. */
class Fibonacci extends HostValue {
  readonly typeName = "fib";

  repr(): StarlarkString {
    return ascii("fib");
  }

  override hash(): number {
    throw fault("fib is unhashable");
  }

  override *iterate(): Iterable<Value> {
    let [x, y] = [0n, 1n];
    for (;;) {
      yield makeInt(x);
      [x, y] = [y, x + y];
    }
  }
}

/** A struct constructor of its own brand. */
class SymbolValue extends HostValue {
  readonly typeName = "symbol";
  override readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  repr(): StarlarkString {
    return ascii(this.name);
  }

  override hash(): number {
    return identityHash(this);
  }

  override call(_thread: Thread, args: readonly Value[], kwargs: Kwargs): Value {
    if (args.length > 0) throw fault(`${this.name}: unexpected positional arguments`);
    return new StarlarkStruct(
      this,
      kwargs.map(([name, value]): [string, Value] => [toJsString(name), value]),
    );
  }
}

const gensym = makeBuiltin("gensym", (_thread, args, kwargs) => {
  const given = kwargs.map(([, value]) => value);
  const [name] = unpackPositional("gensym", [...args, ...given], [], 1, [types.string]);
  return new SymbolValue(name!);
});

const catchBuiltin = makeBuiltin("catch", (thread, args, kwargs) => {
  const [fn] = unpackPositional("catch", args, kwargs, 1, [types.callable]);
  try {
    thread.call(fn!, []);
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return ascii(Buffer.from(error.message, "utf8").toString("latin1"));
  }
});

const freezeBuiltin = makeBuiltin("freeze", (_thread, args, kwargs) => {
  const [value] = unpackPositional("freeze", args, kwargs, 1, [types.value]);
  freeze(value!);
  return value!;
});

/** The predeclared names that the suites' test values go by. */
export function makeTestValues(): Map<string, Value> {
  return new Map<string, Value>([
    ["_catch", catchBuiltin],
    ["_module", moduleBuiltin],
    ["_freeze", freezeBuiltin],
    ["struct", structBuiltin],
    ["gensym", gensym],
    [
      "hasfields",
      makeBuiltin("hasfields", (_thread, args, kwargs) => {
        if (args.length + kwargs.length > 0) throw fault("hasfields: unexpected arguments");
        return new HasFields();
      }),
    ],
    ["fibonacci", new Fibonacci()],
    ["json", makeJsonModule()],
    ["math", makeMathModule()],
    ["time", makeTimeModule()],
  ]);
}
