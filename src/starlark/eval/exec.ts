import type { Dialect } from "../dialect.ts";
import type { Globals, Thread } from "./thread.ts";

/** A file to run. */
export interface ExecOptions {
  readonly filename: string;
  /** Text, or the file's bytes. */
  readonly source: string | Uint8Array;
  /** The names that the file may use, besides the universal ones. */
  readonly predeclared?: ReadonlyMap<string, import("../values/value.ts").Value>;
  readonly dialect?: Dialect;
}

/** Runs a file in a thread; its global variables, frozen. Throws StarlarkErrors. */
export function execFile(_thread: Thread, _options: ExecOptions): Globals {
  throw new Error("not written yet");
}
