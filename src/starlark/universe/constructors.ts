import { types, unpackPositional } from "../eval/unpack.ts";
import { fault } from "../values/fault.ts";
import { makeBuiltin } from "../values/function.ts";
import { StarlarkModule, StarlarkStruct } from "../values/struct.ts";
import { toJsString } from "../values/text.ts";
import type { Kwargs, Value } from "../values/value.ts";

function fieldsOf(kwargs: Kwargs): [string, Value][] {
  return kwargs.map(([name, value]) => [toJsString(name), value]);
}

/** `struct(**fields)`. */
export const structBuiltin = makeBuiltin("struct", (_thread, args, kwargs) => {
  if (args.length > 0) throw fault("struct: unexpected positional arguments");
  return new StarlarkStruct("struct", fieldsOf(kwargs));
});

/** `module(name, **members)`. */
export const moduleBuiltin = makeBuiltin("module", (_thread, args, kwargs) => {
  const [name] = unpackPositional("module", args, [], 1, [types.string]);
  return new StarlarkModule(name!, fieldsOf(kwargs));
});
