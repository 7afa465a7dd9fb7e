import { isAbsolute } from "node:path";
import { YamlError } from "../manifests/yaml-error.ts";
import type { Position } from "../model/position.ts";
import {
  BUILTIN_FILE,
  type EvaluationError,
  formatExcerpt,
  formatTraceback,
  innermostEvaluationError,
  outerAndInner,
  ParseError,
  ResolveError,
  StarlarkError,
  type Position as StarlarkPosition,
} from "../starlark/index.ts";
import { TiltfileError } from "./tiltfile-error.ts";

/** Runaway recursion has 100,000 frames, which nobody reads and every report would hold. */
const MAX_FRAMES = 100;

/**
 * What went wrong while files ran, as the user is told: Tilt's text, the places, and the line with a caret. Anything
 * that is no fault of a Tiltfile is returned as it is.
 */
export function toTiltfileError(
  error: unknown,
  sources: ReadonlyMap<string, Uint8Array>,
  isForeign: (file: string) => boolean,
): Error {
  if (error instanceof TiltfileError) return withExcerpt(error, sources);
  const deepest = innermostEvaluationError(error);
  if (deepest !== undefined) return fromEvaluation(deepest, error, sources, isForeign);
  if (error instanceof StarlarkError) return fromStaticError(error, sources);
  return error instanceof Error ? error : new Error(String(error));
}

/** Tilt shows the first of a file's static errors; the others are told in the hint. */
function fromStaticError(
  error: StarlarkError,
  sources: ReadonlyMap<string, Uint8Array>,
): TiltfileError {
  const others = error instanceof ResolveError ? error.errors.slice(1) : [];
  const hint = others.map(
    ({ message, position }) => `and ${position.file}:${position.line}:${position.col}: ${message}`,
  );
  return new TiltfileError(staticErrorText(error), {
    positions: error.position === undefined ? [] : [toPosition(error.position)],
    excerpt: excerptAt(error.position, sources),
    hint: hint.length === 0 ? undefined : hint.join("\n"),
    cause: error,
  });
}

const GOT_RESERVED_WORD =
  /got (?:as|async|await|class|del|except|finally|from|global|import|is|nonlocal|raise|try|with|yield), want/;

/** The first static error of a file as Tilt shows it: starlark-go does not name a word reserved for the future. */
export function staticErrorText(error: StarlarkError): string {
  const { position, message } = error;
  const text =
    error instanceof ParseError
      ? message.replace(GOT_RESERVED_WORD, "got illegal token, want")
      : message;
  return position === undefined
    ? text
    : `${position.file}:${position.line}:${position.col}: ${text}`;
}

function fromEvaluation(
  deepest: EvaluationError,
  cause: unknown,
  sources: ReadonlyMap<string, Uint8Array>,
  isForeign: (file: string) => boolean,
): TiltfileError {
  const frames = deepest.frames.filter(({ position }) => position.file !== BUILTIN_FILE);
  // The traceback has them all. What reports point at is to be a line that the reader can change.
  const own = frames.filter(({ position }) => !isForeign(position.file));
  const positions = outerAndInner(own.length > 0 ? own : frames, MAX_FRAMES)
    .flat()
    .map(({ position }) => toPosition(position));
  const yaml = yamlErrorOf(deepest);
  // Text that no file holds has no place but the call that was given it.
  if (yaml !== undefined && isAbsolute(yaml.file))
    positions.push({ file: yaml.file, line: yaml.line, column: 1 });
  return new TiltfileError(formatTraceback(deepest, { maxFrames: MAX_FRAMES }), {
    positions,
    excerpt: excerptAt(deepest.position, sources),
    hint: yaml === undefined ? undefined : whereToLook(yaml),
    cause,
  });
}

function whereToLook({ file, line, document }: YamlError): string {
  return isAbsolute(file)
    ? `Look at ${file}:${line}, in document ${document}`
    : `Look at line ${line}, in document ${document}, of what this brought: ${file}`;
}

/** The YAML error that a builtin failed with, if that is what happened. */
function yamlErrorOf(error: EvaluationError): YamlError | undefined {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof YamlError) return cause;
  }
  return undefined;
}

function withExcerpt(
  error: TiltfileError,
  sources: ReadonlyMap<string, Uint8Array>,
): TiltfileError {
  const place = error.position;
  if (error.excerpt !== undefined || place === undefined) return error;
  const excerpt = excerptAt({ file: place.file, line: place.line, col: place.column }, sources);
  if (excerpt === undefined) return error;
  const { message, positions, resource, code, hint, cause, environment } = error;
  const complete = new TiltfileError(message, {
    positions,
    resource,
    code,
    hint,
    cause,
    excerpt,
  });
  complete.environment = environment;
  return complete;
}

function toPosition({ file, line, col }: StarlarkPosition): Position {
  return { file, line, column: col };
}

function excerptAt(
  position: StarlarkPosition | undefined,
  sources: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  const source = position === undefined ? undefined : sources.get(position.file);
  if (source === undefined || position === undefined || position.line === 0) return undefined;
  return formatExcerpt(new TextDecoder().decode(source), position);
}
