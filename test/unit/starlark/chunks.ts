import {
  CORE_DIALECT,
  type Dialect,
  EvaluationError,
  equals,
  execFile,
  freeze,
  type Globals,
  makeBuiltin,
  makeLoader,
  ParseError,
  ResolveError,
  reprText,
  StarlarkError,
  strText,
  Thread,
  toJsString,
  types,
  unpackPositional,
  type Value,
} from "../../../src/starlark/index.ts";

/* Programs in a file, split by lines of `---`. A `### "regexp"` expects an error on its line. */

/** One program, padded so that its lines have the numbers of the file's. */
export interface Chunk {
  readonly firstLine: number;
  readonly source: string;
  /** Patterns of messages, by line. */
  readonly expected: ReadonlyMap<number, RegExp>;
}

/** Splits a chunked file. */
export function readChunks(text: string): Chunk[] {
  let firstLine = 1;
  return text.split("\n---\n").map((source) => {
    const expected = new Map<number, RegExp>();
    const lines = source.split("\n");
    lines.forEach((line, i) => {
      const mark = /### "(.*)"\s*$/.exec(line);
      if (mark !== null) expected.set(firstLine + i, new RegExp(mark[1]!));
    });
    const chunk = { firstLine, source: "\n".repeat(firstLine - 1) + source, expected };
    firstLine += lines.length + 1;
    return chunk;
  });
}

/** The dialect that a chunk asks for with `option:NAME`. */
export function dialectOf(source: string): Dialect {
  const has = (name: string) => source.includes(`option:${name}`);
  return {
    set: has("set"),
    while: has("while"),
    topLevelControl: has("toplevelcontrol"),
    globalReassign: has("globalreassign"),
    recursion: has("recursion"),
  };
}

const MODULES: Readonly<Record<string, string>> = {
  "m.star": `
def public(): return "public"
def remember(x): state.append(x)
state = []
`,
  "broken.star": "x = ",
  "gather.star": `
def gather(x, into = []):
    into.append(x)
    return into
first = list(gather(4, [1, 2, 3]))
second = list(gather(1))
third = list(gather(2))
a, b, c = 1, 2, 3
`,
};

/** The assertions that programs may use; what fails is added to the result's failures. */
function assertions({ failures, printed }: ChunkResult): Map<string, Value> {
  const assertEq = makeBuiltin("assert_eq", (thread, args, kwargs) => {
    const [x, y] = unpackPositional("assert_eq", args, kwargs, 2, [types.value, types.value]);
    if (!equals(x!, y!))
      failures.push(`${thread.callerPosition().line}: ${reprText(x!)} != ${reprText(y!)}`);
    return null;
  });
  const assertFails = makeBuiltin("assert_fails", (thread, args, kwargs) => {
    const [fn, pattern] = unpackPositional("assert_fails", args, kwargs, 2, [
      types.callable,
      types.string,
    ]);
    const where = thread.callerPosition().line;
    try {
      thread.call(fn!, []);
      failures.push(`${where}: no error, want one matching ${pattern}`);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      if (!new RegExp(pattern!).test(error.message))
        failures.push(`${where}: ${error.message}, want ${pattern}`);
    }
    return null;
  });
  const assertPrints = makeBuiltin("assert_prints", (thread, args, kwargs) => {
    const [fn, ...lines] = args;
    unpackPositional("assert_prints", [fn!], kwargs, 1, [types.callable]);
    const where = thread.callerPosition().line;
    const before = printed.length;
    thread.call(fn!, []);
    const text = printed.slice(before).join("\n");
    const wanted = lines.map((line) => strText(line)).join("\n");
    if (text !== wanted) failures.push(`${where}: printed ${text}, want ${wanted}`);
    return null;
  });
  const freezeBuiltin = makeBuiltin("freeze", (_thread, [value]) => {
    freeze(value!);
    return null;
  });
  return new Map<string, Value>([
    ["assert_eq", assertEq],
    ["assert_fails", assertFails],
    ["assert_prints", assertPrints],
    ["freeze", freezeBuiltin],
  ]);
}

/** What running a chunk came to. */
export interface ChunkResult {
  readonly failures: string[];
  readonly printed: string[];
  /** Errors that ended the program, or kept it from starting. */
  readonly errors: { readonly line: number; readonly message: string }[];
}

function errorsOf(error: StarlarkError, file: string): ChunkResult["errors"] {
  if (error instanceof ResolveError) {
    return error.errors.map(({ position, message }) => ({ line: position.line, message }));
  }
  if (error instanceof ParseError) return [{ line: error.position!.line, message: error.message }];
  const frame = (error as EvaluationError).frames.findLast(
    ({ position }) => position.file === file,
  );
  return [{ line: frame?.position.line ?? 0, message: error.message }];
}

/** Runs a chunk under the dialect that it asks for. */
export function runChunk(file: string, { source }: Chunk): ChunkResult {
  const result: ChunkResult = { failures: [], printed: [], errors: [] };
  const predeclared = assertions(result);
  const loader = makeLoader((thread, path): Globals => {
    const text = MODULES[path];
    if (text === undefined) throw new Error("no such module");
    return execFile(thread, { filename: path, source: text, dialect: CORE_DIALECT });
  });
  const thread = new Thread({
    print: (message) => result.printed.push(toJsString(message)),
    load: (t, module) => loader.load(t, module),
  });
  try {
    execFile(thread, { filename: file, source, predeclared, dialect: dialectOf(source) });
  } catch (error) {
    if (!(error instanceof StarlarkError)) throw error;
    result.errors.push(...errorsOf(error, file));
  }
  return result;
}
