import { fromJsString, types } from "../../starlark/index.ts";
import type { BuiltinTable } from "../builtin.ts";

const UNSAFE = /[^\w@%+=:,./-]/;

/** shlex.quote, with the rules of Python's. */
export function shlexBuiltins(): BuiltinTable {
  return {
    "shlex.quote"(call) {
      const { name: word } = call.unpack({ name: types.string });
      if (word === "") return fromJsString("''");
      const quoted = UNSAFE.test(word) ? `'${word.replaceAll("'", `'"'"'`)}'` : word;
      return fromJsString(quoted);
    },
  };
}
