/** A point in a source file. */
export interface Position {
  readonly file: string;
  /** 1-based; 0 when unknown. */
  readonly line: number;
  /** 1-based, in code points; 0 when unknown. */
  readonly col: number;
}

/** A function on the call stack, and the point of execution within it. */
export interface CallFrame {
  readonly name: string;
  readonly position: Position;
}

/** The file name that a builtin's frame bears, as in starlark-go. */
export const BUILTIN_FILE = "<builtin>";

/** The position of a builtin, which has no source. */
export const BUILTIN_POSITION: Position = { file: BUILTIN_FILE, line: 0, col: 0 };

/** Anything wrong with a Starlark program. `message` is without the position. */
export abstract class StarlarkError extends Error {
  readonly position: Position | undefined;

  constructor(message: string, position: Position | undefined, options?: ErrorOptions) {
    super(message, options);
    this.position = position;
  }
}

/** The first syntax error of a file: it stops the parser. */
export class ParseError extends StarlarkError {
  override readonly name = "ParseError";
}

/** One static error of a file. */
export interface StaticError {
  readonly message: string;
  readonly position: Position;
}

/** All static errors of a file, in source order; `message` and `position` are the first one's. */
export class ResolveError extends StarlarkError {
  override readonly name = "ResolveError";
  readonly errors: readonly StaticError[];

  constructor(errors: readonly StaticError[]) {
    super(errors[0]!.message, errors[0]!.position);
    this.errors = errors;
  }
}

/** A failure while a program ran. `cause` is the plain `Error` that a builtin threw, if one did. */
export class EvaluationError extends StarlarkError {
  override readonly name = "EvaluationError";
  /** Outermost first; a failing builtin's own frame is last, at `<builtin>`. */
  readonly frames: readonly CallFrame[];

  constructor(message: string, frames: readonly CallFrame[], cause?: unknown) {
    const inSource = frames.findLast((frame) => frame.position.file !== BUILTIN_FILE);
    super(message, inSource?.position, cause === undefined ? undefined : { cause });
    this.frames = frames;
  }

  /** The text of `formatTraceback`. */
  backtrace(): string {
    return formatTraceback(this);
  }
}

/** Ends evaluation without an error (Tilt's `exit()`): a builtin throws it, and it passes all frames as it is. */
export class EvaluationExit {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** `FILE:LINE:COL`, the unknown parts left out. */
export function formatPosition({ file, line, col }: Position): string {
  if (line === 0) return file;
  return col === 0 ? `${file}:${line}` : `${file}:${line}:${col}`;
}

/** How a stack is written. */
export interface TracebackOptions {
  /** Of a deeper stack the middle is left out, and a line says how much: all is written when absent. */
  readonly maxFrames?: number;
}

/** The first and last elements, at most `count` together. */
export function outerAndInner<T>(items: readonly T[], count: number): [outer: T[], inner: T[]] {
  if (items.length <= count) return [[...items], []];
  const half = Math.max(1, count >> 1);
  return [items.slice(0, half), items.slice(-half)];
}

/** A heading and a line for each frame, outermost first, without a final newline; empty for no frames. */
export function formatStack(
  frames: readonly CallFrame[],
  { maxFrames = Number.POSITIVE_INFINITY }: TracebackOptions = {},
): string {
  if (frames.length === 0) return "";
  const line = ({ name, position }: CallFrame) => `  ${formatPosition(position)}: in ${name}`;
  const [outer, inner] = outerAndInner(frames, maxFrames);
  const left = frames.length - outer.length - inner.length;
  const gap = left === 0 ? [] : [`  ... ${left} more calls ...`];
  return [
    "Traceback (most recent call last):",
    ...outer.map(line),
    ...gap,
    ...inner.map(line),
  ].join("\n");
}

/** starlark-go's `EvalError.Backtrace`: a builtin on top becomes `Error in NAME: …`. No final newline. */
export function formatTraceback(error: EvaluationError, options?: TracebackOptions): string {
  let frames = error.frames;
  let where = "";
  const top = frames.at(-1);
  if (top !== undefined && top.position.file === BUILTIN_FILE) {
    where = ` in ${top.name}`;
    frames = frames.slice(0, -1);
  }
  const stack = formatStack(frames, options);
  return `${stack}${stack === "" ? "" : "\n"}Error${where}: ${error.message}`;
}

/** What a command prints: `FILE:LINE:COL: message` for each static error, or the traceback. No final newline. */
export function formatError(error: StarlarkError, options?: TracebackOptions): string {
  if (error instanceof EvaluationError) return formatTraceback(error, options);
  const errors = error instanceof ResolveError ? error.errors : [error];
  return errors
    .map(({ message, position }) =>
      position ? `${formatPosition(position)}: ${message}` : message,
    )
    .join("\n");
}

/** The deepest evaluation error down the chain of causes: the one whose traceback Tilt prints. */
export function innermostEvaluationError(error: unknown): EvaluationError | undefined {
  let found: EvaluationError | undefined;
  const seen = new Set<unknown>();
  for (let e = error; e instanceof Error && !seen.has(e); e = e.cause) {
    seen.add(e);
    if (e instanceof EvaluationError) found = e;
  }
  return found;
}
