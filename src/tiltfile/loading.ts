import { statSync } from "node:fs";
import {
  execFile,
  fromJsString,
  type Globals,
  makeLoader,
  ParseError,
  ResolveError,
  StarlarkDict,
  type Thread,
  TILT_DIALECT,
  types,
  type Value,
} from "../starlark/index.ts";
import { text } from "./arguments.ts";
import type { BuiltinTable } from "./builtin.ts";
import type { Evaluation } from "./evaluation.ts";
import { staticErrorText } from "./evaluation-failure.ts";
import { ExtensionStore } from "./extensions.ts";
import { osReason } from "./go/os-error.ts";
import { basename } from "./go/path.ts";
import { readBytes } from "./read-bytes.ts";
import { recordFileOnly } from "./read-text.ts";
import { TiltfileError } from "./tiltfile-error.ts";

/** Runs the Tiltfile and what it loads, each file once. */
export class FileLoader {
  readonly #evaluation: Evaluation;
  readonly #extensions: ExtensionStore;
  readonly #predeclared: () => ReadonlyMap<string, Value>;
  readonly #loader = makeLoader((thread, path) => this.#execute(thread, path), {
    onCycle: (path) => new Error(`Circular load: ${path}`),
  });
  /** Texts of the files that ran, for excerpts. */
  readonly sources = new Map<string, Uint8Array>();

  constructor(evaluation: Evaluation, predeclared: () => ReadonlyMap<string, Value>) {
    this.#evaluation = evaluation;
    this.#extensions = new ExtensionStore(evaluation);
    this.#predeclared = predeclared;
  }

  /** The globals of a file: a path relative to the executing file's directory, or `ext://NAME`. */
  load(thread: Thread, path: string): Globals {
    const file = this.#extensions.resolve(path) ?? this.#evaluation.absolute(path);
    return this.#loader.load(thread, file);
  }

  #execute(thread: Thread, file: string): Globals {
    const evaluation = this.#evaluation;
    const source = readSource(file);
    this.sources.set(file, source);
    recordFileOnly(evaluation, file);
    const predeclared = new Map(this.#predeclared());
    predeclared.set("__file__", fromJsString(file));
    predeclared.set(
      "__name__",
      fromJsString(file === evaluation.tiltfile ? "__main__" : basename(file)),
    );
    const outer = evaluation.executingFile;
    evaluation.executingFile = file;
    try {
      return execFile(thread, { filename: file, source, predeclared, dialect: TILT_DIALECT });
    } finally {
      evaluation.executingFile = outer;
    }
  }
}

/** More is no Tiltfile, and would take minutes to find out. */
const MAX_SOURCE_BYTES = 16 << 20;

function readSource(file: string): Uint8Array {
  try {
    if (statSync(file).size <= MAX_SOURCE_BYTES) {
      const source = readBytes(file);
      if (source.length <= MAX_SOURCE_BYTES) return source;
    }
  } catch (error) {
    const operation = osReason(error) === "is a directory" ? "read" : "open";
    const reason = `${operation} ${file}: ${osReason(error)}`;
    throw new TiltfileError(`error reading file ${file}: ${reason}`, { cause: error });
  }
  const limit = `${MAX_SOURCE_BYTES >> 20} MiB`;
  throw new TiltfileError(`error reading file ${file}: it has more than ${limit}`);
}

/** include and load_dynamic. */
export function loadingBuiltins(load: (thread: Thread, path: string) => Globals): BuiltinTable {
  return {
    include(call) {
      const { path } = call.unpack({ path: types.string });
      withPlace(() => load(call.thread, path));
      return null;
    },
    load_dynamic(call) {
      const { path } = call.unpack({ path: text });
      const globals = withPlace(() => load(call.thread, path));
      const dict = StarlarkDict.from(
        [...globals].map(([name, value]) => [fromJsString(name), value]),
      );
      dict.freeze();
      return dict;
    },
  };
}

/** A static error of a loaded file becomes the builtin's own reason, with its place. */
function withPlace<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof ParseError || error instanceof ResolveError)) throw error;
    throw new Error(staticErrorText(error), { cause: error });
  }
}
