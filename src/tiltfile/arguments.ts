import type { Command, Link } from "../model/plan.ts";
import {
  elementsOf,
  goTypeName,
  isSequence,
  isString,
  reprText,
  StarlarkDict,
  StarlarkList,
  StarlarkTuple,
  toJsString,
  typeName,
  types,
  type Unpacker,
  type Value,
} from "../starlark/index.ts";
import type { Evaluation } from "./evaluation.ts";
import { parseDuration } from "./go/duration.ts";
import { compareBytes, goQuote } from "./go/quote.ts";
import { parseLink } from "./link.ts";
import { checkLabel, checkName } from "./names.ts";
import { textOf } from "./values/blob.ts";
import { GitRepo } from "./values/git-repo.ts";
import { LinkValue } from "./values/link.ts";
import { TriggerMode } from "./values/trigger-mode.ts";

/*
 * The kinds of arguments that Tilt's builtins take (tiltfile-api.md §1.3). Each is an unpacker: it throws an Error that
 * holds only the reason, in Tilt's words.
 */

/** The elements of a sequence, nothing for None or absent, else the value itself. */
export function oneOrMore(value: Value | undefined): Value[] {
  if (value === undefined || value === null) return [];
  return isSequence(value) ? (elementsOf(value) ?? []) : [value];
}

/** A string or Blob. */
export function text(value: Value): string {
  const found = textOf(value);
  if (found === undefined) {
    throw new Error(`Value should be convertible to string, but is type ${typeName(value)}`);
  }
  return found;
}

function listElements(value: Value): Value[] | undefined {
  return value instanceof StarlarkList || value instanceof StarlarkTuple
    ? [...value.elems]
    : undefined;
}

/** A string, Blob, or a list or tuple of them; None for none. */
export function textList(value: Value): string[] {
  const single = textOf(value);
  if (single !== undefined) return [single];
  if (value === null) return [];
  const elements = listElements(value);
  if (elements === undefined) {
    throw new Error(
      `value should be a string or List or Tuple of strings, but is of type ${typeName(value)}`,
    );
  }
  return elements.map((element) => elementText(element, "list"));
}

/** A list or tuple of strings and Blobs; None for none. */
export function texts(value: Value): string[] {
  if (value === null) return [];
  const elements = listElements(value);
  if (elements === undefined) {
    throw new Error(
      `value should be a List or Tuple of strings, but is of type ${typeName(value)}`,
    );
  }
  return elements.map((element) => elementText(element, "value"));
}

function elementText(element: Value, container: "list" | "value"): string {
  const found = textOf(element);
  if (found === undefined) {
    throw new Error(
      `${container} should contain only strings, but element ${goQuote(reprText(element))} was of type ${typeName(element)}`,
    );
  }
  return found;
}

/** The plain strings of a sequence that was unpacked with `types.sequence`. */
export function strings(sequence: Value | undefined): string[] {
  if (sequence === undefined) return [];
  return (elementsOf(sequence) ?? []).map((element) => {
    if (isString(element)) return toJsString(element);
    throw new Error(`'${reprText(element)}' is a ${goTypeName(element)}, not a string`);
  });
}

/** strings(), with what it is about before the reason. */
export function stringsNamed(label: string, sequence: Value | undefined): string[] {
  return labelled(label, () => strings(sequence));
}

/** Runs something, with a label before the reason of its error. */
export function labelled<T>(label: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    // the interpreter tells of the limits of V8
    if (!(error instanceof Error) || error instanceof RangeError) throw error;
    throw new Error(`${label}: ${error.message}`, { cause: error });
  }
}

/** A string or sequence of strings without newlines (`ignore`, `only`); None for none. */
export function patterns(value: Value | undefined, param: string): string[] {
  return oneOrMore(value).map((element) => {
    if (!isString(element)) {
      throw new Error(
        `${param} must be a string or a sequence of strings; found a ${goTypeName(element)}`,
      );
    }
    const pattern = toJsString(element);
    if (pattern.includes("\n")) {
      throw new Error(`${param} cannot contain newlines; found ${param}: ${goQuote(pattern)}`);
    }
    return pattern;
  });
}

/** A dict of strings and Blobs; None for an empty one. */
export function textMap(value: Value): Record<string, string> {
  const result: Record<string, string> = {};
  if (value === null) return result;
  if (!(value instanceof StarlarkDict)) throw new Error(`expected dict, got ${goTypeName(value)}`);
  for (const [key, item] of value.entries()) {
    const name = textOf(key);
    if (name === undefined) {
      throw new Error(`key is not a string: ${goTypeName(key)} (${reprText(key)})`);
    }
    const content = textOf(item);
    if (content === undefined) {
      throw new Error(`value is not a string: ${goTypeName(item)} (${reprText(item)})`);
    }
    result[name] = content;
  }
  return result;
}

/** True, False or None. Absent and None are undefined. */
export function optionalBool(value: Value): boolean | undefined {
  if (value === null) return undefined;
  if (typeof value === "boolean") return value;
  throw new Error(`expected starlark.Bool or None, got ${goTypeName(value)}`);
}

/** A Go duration, in milliseconds. */
export function duration(value: Value): number {
  if (!isString(value)) throw new Error(`Expected string. Got: ${typeName(value)}`);
  return parseDuration(toJsString(value));
}

/** The name of a resource. */
export function resourceName(value: Value): string {
  const name = text(value);
  checkName(name);
  return name;
}

/** Labels of a resource: a string, or a list or tuple of them; sorted, each once. */
export function labels(value: Value): string[] {
  if (value === null) return [];
  const elements = isString(value) ? [value] : listElements(value);
  if (elements === undefined) {
    throw new Error(
      `value should be a label or List or Tuple of labels, but is of type ${typeName(value)}`,
    );
  }
  const names = elements.map((element) => {
    const label = text(element);
    checkLabel(label);
    return label;
  });
  return [...new Set(names)].sort(compareBytes);
}

/** Links of a resource: strings and link() values, alone or in a sequence. */
export function links(value: Value): Link[] {
  return oneOrMore(value).map((element) => {
    if (element instanceof LinkValue) return element.link;
    if (isString(element)) return { url: parseLink(toJsString(element)) };
    throw new Error(
      `\`Want a string, a link, or a sequence of these; found ${reprText(element)} (type: ${goTypeName(element)})`,
    );
  });
}

export function triggerMode(value: Value): "auto" | "manual" {
  if (value instanceof TriggerMode) return value.content;
  throw new Error(`got ${typeName(value)}, want TriggerMode`);
}

/** The unpackers that know the current directory. */
export function pathTypes(evaluation: Evaluation): {
  path: Unpacker<string>;
  paths: Unpacker<string[]>;
} {
  const path = (value: Value): string => toPath(evaluation, value);
  const paths = (value: Value): string[] => {
    if (textOf(value) !== undefined) return [path(value)];
    if (value === null) return [];
    const elements = listElements(value);
    if (elements === undefined) {
      throw new Error(
        `value should be a string or List or Tuple of strings, but is of type ${typeName(value)}`,
      );
    }
    return elements.map((element, index) =>
      labelled(`unpacking list item at index ${index}`, () => path(element)),
    );
  };
  return { path, paths };
}

/** The absolute path that a string or local_git_repo() stands for. */
export function toPath(evaluation: Evaluation, value: Value): string {
  if (value instanceof GitRepo) return value.path(".");
  if (isString(value)) return evaluation.absolute(toJsString(value));
  throw new Error(`expected path | string. Actual type: ${goTypeName(value)}`);
}

/** What makes up a command: the command itself, its directory and environment, all as passed. */
export interface CommandParts {
  readonly command: Value | undefined;
  readonly dir?: Value | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A command from its parts; an empty argv stands for none. A string is run by `sh -c`. */
export function toCommand(evaluation: Evaluation, { command, dir, env }: CommandParts): Command {
  const directory =
    dir === undefined || dir === null
      ? evaluation.directory
      : labelled("a command directory must be empty or a string", () => toPath(evaluation, dir));
  for (const [name, value] of Object.entries(env ?? {})) {
    if (name === "") throw new Error(`environment has empty key for value ${goQuote(value)}`);
  }
  const sorted = Object.entries(env ?? {}).sort(([a], [b]) => compareBytes(a, b));
  return { argv: toArgv(command), dir: directory, env: Object.fromEntries(sorted) };
}

/** The argv of a command argument: `[]` when absent or empty. */
export function toArgv(command: Value | undefined): string[] {
  if (command === undefined) return [];
  if (isString(command)) {
    const script = toJsString(command).trim();
    return script === "" ? [] : ["sh", "-c", script];
  }
  if (!isSequence(command)) {
    throw new Error(`a command must be a string or list of strings. found ${goTypeName(command)}`);
  }
  return labelled("a command must be a string or a list of strings", () => strings(command));
}

/** How Tilt shows a command: the script of a one-line `sh -c`, else the words, those with spaces quoted. */
export function formatCommand(argv: readonly string[]): string {
  if (argv.length === 3 && argv[0] === "sh" && argv[1] === "-c" && !argv[2]!.includes("\n")) {
    return argv[2]!;
  }
  return argv.map((word) => (word.includes(" ") ? goQuote(word) : word)).join(" ");
}

/** Unpackers that need nothing, beside those of the interpreter. */
export const kinds = {
  text,
  textList,
  texts,
  textMap,
  optionalBool,
  duration,
  resourceName,
  labels,
  links,
  triggerMode,
  sequence: types.sequence as Unpacker<Value>,
} as const;
