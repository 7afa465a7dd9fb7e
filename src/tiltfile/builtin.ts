import type { Position } from "../model/position.ts";
import {
  type Builtin,
  type Kwargs,
  makeBuiltin,
  type Spec,
  type Thread,
  type Unpacked,
  unpack,
  type Value,
} from "../starlark/index.ts";
import { callPosition } from "./evaluation.ts";

/** One call of a builtin. */
export interface Call {
  /** The builtin's full name, `os.path.join`. */
  readonly name: string;
  readonly thread: Thread;
  readonly args: readonly Value[];
  readonly kwargs: Kwargs;
  /** Binds the arguments; throws starlark-go's messages. */
  unpack<const S extends Spec>(spec: S): Unpacked<S>;
  /** Where the Tiltfile asks for it: of a call in an extension, the place outside of extensions that led to it. */
  position(): Position;
  /** Where the call stands, in whatever file. */
  site(): Position;
}

/** What a builtin does. It throws a plain Error whose message stands after `Error in NAME: `. */
export type Implementation = (call: Call) => Value;

/** Builtins by full name; a dotted name lands in a module. */
export type BuiltinTable = Readonly<Record<string, Implementation>>;

/** @param isForeign whether a file is one that the user did not write */
export function toBuiltin(
  name: string,
  implementation: Implementation,
  isForeign: (file: string) => boolean,
): Builtin {
  return makeBuiltin(name, (thread, args, kwargs) =>
    implementation({
      name,
      thread,
      args,
      kwargs,
      unpack: (spec) => unpack(name, args, kwargs, spec),
      position: () => callPosition(thread, isForeign),
      site: () => callPosition(thread),
    }),
  );
}
