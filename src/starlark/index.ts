/* The door of the Starlark interpreter: other rooms import from here alone. */

export { CORE_DIALECT, type Dialect, TILT_DIALECT } from "./dialect.ts";
export {
  BUILTIN_FILE,
  type CallFrame,
  EvaluationError,
  EvaluationExit,
  formatError,
  formatPosition,
  formatStack,
  formatTraceback,
  innermostEvaluationError,
  outerAndInner,
  ParseError,
  type Position,
  ResolveError,
  StarlarkError,
  type StaticError,
  type TracebackOptions,
} from "./errors.ts";
export { fromStarlark, toStarlark } from "./eval/convert.ts";
export { type ExecOptions, execChunk, execFile } from "./eval/exec.ts";
export { type Loader, type LoaderOptions, makeLoader } from "./eval/loader.ts";
export { isHostStackOverflow } from "./eval/overflow.ts";
export {
  type Globals,
  type LoadHandler,
  type PrintHandler,
  Thread,
  type ThreadOptions,
} from "./eval/thread.ts";
export {
  checkPositional,
  isCallable,
  isIterable,
  isSequence,
  isString,
  type Spec,
  types,
  type Unpacked,
  type Unpacker,
  unpack,
  unpackPositional,
} from "./eval/unpack.ts";
export { type ExcerptOptions, formatExcerpt } from "./excerpt.ts";
export { hintFor } from "./hints.ts";
export { makeTestValues } from "./lib/test-values.ts";
export {
  checkFile,
  type LoadedModule,
  loadedModules,
  referencedGlobals,
} from "./resolve/analyze.ts";
export { nearestName } from "./spell.ts";
export type { SyntaxFile } from "./syntax/ast.ts";
export { parseFile } from "./syntax/parse.ts";
export { moduleBuiltin, structBuiltin } from "./universe/constructors.ts";
export { elementsOf, lengthOf } from "./values/access.ts";
export { StarlarkBytes } from "./values/bytes.ts";
export { compareValues, equals } from "./values/compare.ts";
export { StarlarkDict, StarlarkSet } from "./values/dict.ts";
export { NoSuchAttributeError } from "./values/fault.ts";
export { StarlarkFloat } from "./values/float.ts";
export { freeze } from "./values/freeze.ts";
export { charge } from "./values/fuel.ts";
export { Builtin, type BuiltinImpl, makeBuiltin, StarlarkFunction } from "./values/function.ts";
export { hashValue } from "./values/hash.ts";
export { isInt, makeInt, type StarlarkInt } from "./values/int.ts";
export { StarlarkList, StarlarkTuple } from "./values/list.ts";
export { StarlarkRange } from "./values/range.ts";
export { goTypeName, repr, reprText, str, strText, truth, typeName } from "./values/repr.ts";
export { type ModuleOptions, StarlarkModule, StarlarkStruct } from "./values/struct.ts";
export {
  bytesToString,
  fromJsString,
  type StarlarkString,
  stringToBytes,
  toJsString,
} from "./values/text.ts";
export {
  type BinaryOperator,
  HostValue,
  type Kwargs,
  StarlarkObject,
  type UnaryOperator,
  type Value,
} from "./values/value.ts";
