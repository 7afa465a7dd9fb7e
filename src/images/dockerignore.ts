/**
 * Patterns of a `.dockerignore`, as moby's `patternmatcher` (v0.6) reads and applies them. BuildKit, the classic
 * builder and Docker's own client all match with it, so its oddities are the format: `**x` is a mere suffix, a class
 * like `[^a]` matches a slash, beside a wildcard `|` means "or" and `{2}` "twice" (moby escapes neither).
 * `@balena/dockerignore` follows a matcher of 2020 (ignores case, leaves `+(){}` unescaped, checks parents its own way).
 */

import { posix } from "node:path";

/** A pattern that Docker refuses too; the message is one line. */
export class IgnorePatternError extends Error {
  readonly pattern: string;
  constructor(pattern: string, reason: string) {
    super(`Cannot use the ignore pattern "${pattern}": ${reason}`);
    this.name = "IgnorePatternError";
    this.pattern = pattern;
  }
}

interface Pattern {
  /** Cleaned, without `!`. */
  readonly text: string;
  readonly negated: boolean;
  readonly test: (path: string) => boolean;
}

/** Which patterns matched a directory or one above it: handed from parent to child while walking. */
export type ParentMatch = readonly boolean[];

/**
 * A pattern as a line of a `.dockerignore` spells it: trimmed, cleaned as a path, a leading slash taken off.
 * Undefined for an empty one.
 */
export function normalizeIgnorePattern(line: string): string | undefined {
  let text = line.trim();
  const negated = text.startsWith("!");
  if (negated) text = text.slice(1).trim();
  if (text !== "") {
    text = cleanPath(text);
    if (text.length > 1 && text.startsWith("/")) text = text.slice(1);
    text = negated ? text.trimEnd() : text.trim();
  }
  if (negated) return `!${text}`;
  return text === "" ? undefined : text;
}

/** Go's `filepath.Clean` of a slash-separated path. */
function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/** Matches paths against one list of patterns: the last one that matches decides. */
export class IgnoreMatcher {
  readonly #patterns: readonly Pattern[];
  /** Some pattern starts with `!`. */
  readonly hasNegations: boolean;

  /** @throws IgnorePatternError */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
      .map(normalizeIgnorePattern)
      .filter((pattern) => pattern !== undefined)
      .map(compilePattern);
    this.hasNegations = this.#patterns.some(({ negated }) => negated);
  }

  /**
   * Whether a path is excluded, given what matched its parent directory: how BuildKit walks a context.
   * `path` is relative, with slashes; `parent` is absent at the top.
   */
  match(
    path: string,
    parent?: ParentMatch,
  ): { readonly excluded: boolean; readonly match: ParentMatch } {
    let excluded = false;
    const match = this.#patterns.map((pattern, index) => {
      const matched =
        parent?.[index] === true || (pattern.negated === excluded && pattern.test(path));
      if (matched) excluded = !pattern.negated;
      return matched;
    });
    return { excluded, match };
  }

  /** Whether something under an excluded directory may still be brought back by a `!` pattern. */
  mayIncludeUnder(directory: string): boolean {
    return this.#patterns.some(
      ({ negated, text }) =>
        negated && (/[*?[\]\\|{]/.test(text) || text.startsWith(`${directory}/`)),
    );
  }

  /** Whether a path is excluded, by itself or through its parents. */
  excludes(path: string): boolean {
    const parts = path.split("/");
    let parent: ParentMatch | undefined;
    let excluded = false;
    for (let count = 1; count <= parts.length; count += 1) {
      const result = this.match(parts.slice(0, count).join("/"), parent);
      parent = result.match;
      excluded = result.excluded;
    }
    return excluded;
  }
}

/** The pattern that matches exactly one path (and what is under it) wherever patterns are read. */
export function literalIgnorePattern(path: string): string {
  // A line's ends are trimmed before the pattern is read, so blanks there must hide in a class; a newline has no spelling.
  const escaped = path.replace(/[\\*?[\]^|{}]/g, "\\$&").replace(/\n|\r/g, "?");
  return escaped.replace(/^[!#\s]|\s$/g, (char) => (/\s/.test(char) ? `[${char}]` : `\\${char}`));
}

function compilePattern(source: string): Pattern {
  const negated = source.startsWith("!");
  const text = negated ? source.slice(1) : source;
  if (text === "" || (negated && text === "/")) {
    throw new IgnorePatternError(source, "nothing follows the exclamation mark");
  }
  checkSyntax(text, source);
  return { text, negated, test: compileTest(text, source) };
}

function compileTest(text: string, source: string): (path: string) => boolean {
  const { kind, expression } = translate(text);
  switch (kind) {
    case "exact":
      return (path) => path === text;
    case "prefix": {
      const prefix = text.slice(0, text.lastIndexOf("**"));
      return (path) => path.startsWith(prefix);
    }
    case "suffix": {
      const suffix = text.slice(2);
      return (path) => path.endsWith(suffix) || (suffix[0] === "/" && path === suffix.slice(1));
    }
    case "expression":
      return compileExpression(expression, source);
  }
}

function compileExpression(expression: string, source: string): (path: string) => boolean {
  try {
    const regExp = new RegExp(expression, "u");
    return (path) => regExp.test(path);
  } catch (error) {
    throw new IgnorePatternError(source, (error as Error).message);
  }
}

type MatchKind = "exact" | "prefix" | "suffix" | "expression";

/** What kind of comparison a pattern needs, and the regular expression where it needs one. */
function translate(text: string): { kind: MatchKind; expression: string } {
  let kind: MatchKind = "exact";
  let expression = "^";
  const chars = [...text];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at]!;
    if (char === "*" && chars[at + 1] === "*") {
      const leading = at === 0;
      at += chars[at + 2] === "/" ? 2 : 1;
      if (at + 1 < chars.length) {
        expression += "(.*/)?";
        kind = "expression";
      } else if (kind === "exact") {
        kind = "prefix";
      } else {
        expression += ".*";
        kind = "expression";
      }
      if (leading) kind = "suffix";
    } else if (char === "*" || char === "?") {
      expression += char === "*" ? "[^/]*" : "[^/]";
      kind = "expression";
    } else if (char === "[") {
      const end = classEnd(chars, at);
      expression += translateClass(chars.slice(at + 1, end));
      at = end;
      kind = "expression";
    } else if (char === "\\") {
      at += 1;
      expression += escapeRegExp(chars[at]!);
      kind = "expression";
    } else {
      if (char === "]") kind = "expression";
      const rest = chars.slice(at).join("");
      const quantifier = at > 0 ? /^\{\d+(?:,\d*)?\}/.exec(rest)?.[0] : undefined;
      expression += quantifier ?? (char === "|" ? char : escapeRegExp(char));
      at += (quantifier?.length ?? 1) - 1;
    }
  }
  return { kind, expression: `${expression}$` };
}

function escapeRegExp(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

/** Index of the bracket that closes the class opened at `start`; checkSyntax() has seen that there is one. */
function classEnd(chars: readonly string[], start: number): number {
  for (let at = start + 1; ; at += 1) {
    if (chars[at] === "\\") at += 1;
    else if (chars[at] === "]") return at;
  }
}

function translateClass(body: readonly string[]): string {
  const negation = body[0] === "^" ? "^" : "";
  const members: string[] = [];
  for (let at = negation.length; at < body.length; at += 1) {
    const escaped = body[at] === "\\";
    if (escaped) at += 1;
    const char = body[at]!;
    const isRange = char === "-" && !escaped && members.length > 0 && at + 1 < body.length;
    members.push(!isRange && /[\\\]^[-]/.test(char) ? `\\${char}` : char);
  }
  return `[${negation}${members.join("")}]`;
}

/** What no reading of the pattern makes sense of. Docker refuses some more and says so itself when it builds. */
function checkSyntax(text: string, source: string): void {
  const rest = text.replace(/\\./gsu, "xx").replace(/\[\^?[^\]]+\]/g, "x");
  if (rest.endsWith("\\")) throw new IgnorePatternError(source, "nothing follows the backslash");
  if (rest.includes("[")) throw new IgnorePatternError(source, "malformed character class");
}
