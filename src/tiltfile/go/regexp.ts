/**
 * Go's regular expressions (RE2 syntax) on JavaScript's: the same for what Tiltfiles write. Translated are the start
 * and end anchors, POSIX classes and leading flags; errors carry Go's words.
 */

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  blank: "\\t ",
  digit: "0-9",
  lower: "a-z",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/**
 * Compiles a pattern that is matched anywhere, ignoring case.
 * @throws Error "error parsing regexp: …" as Go says it.
 */
export function compileIgnoringCase(pattern: string): RegExp {
  if (pattern === "") return /(?:)/;
  checkSyntax(pattern);
  try {
    return new RegExp(translate(pattern), "i");
  } catch {
    throw new Error(`error parsing regexp: invalid or unsupported Perl syntax: \`${pattern}\``);
  }
}

function translate(pattern: string): string {
  return pattern
    .replace(/^\(\?[ims]+\)/, "")
    .replace(
      /\[:(\^?)(\w+):\]/g,
      (whole, _negated: string, name: string) => POSIX_CLASSES[name] ?? whole,
    )
    .replaceAll("\\A", "^")
    .replaceAll("\\z", "$")
    .replace(/\(\?P</g, "(?<");
}

/** The mistakes that people make, in Go's words. The expression that Go quotes starts with the flag Tilt adds. */
function checkSyntax(pattern: string): void {
  const whole = `(?i)${pattern}`;
  const fail = (reason: string, part: string) =>
    new Error(`error parsing regexp: ${reason}: \`${part}\``);
  let depth = 0;
  let canRepeat = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === "\\") {
      if (i + 1 >= pattern.length) throw fail("trailing backslash at end of expression", "");
      i++;
      canRepeat = true;
    } else if (char === "[") {
      const end = classEnd(pattern, i);
      if (end < 0) throw fail("missing closing ]", pattern.slice(i));
      i = end;
      canRepeat = true;
    } else if (char === "(") {
      depth++;
      if (pattern.startsWith("(?", i)) i = skipGroupHead(pattern, i);
      canRepeat = false;
    } else if (char === ")") {
      if (--depth < 0) throw fail("unexpected )", whole);
      canRepeat = true;
    } else if ("*+?".includes(char)) {
      if (!canRepeat) throw fail("missing argument to repetition operator", char);
      i = skipRepeat(pattern, i, fail);
    } else {
      canRepeat = char !== "|" && char !== "^";
    }
  }
  if (depth > 0) throw fail("missing closing )", whole);
}

/** Index of the last character of a repetition operator: a lazy mark belongs to it, a second operator does not. */
function skipRepeat(
  pattern: string,
  at: number,
  fail: (reason: string, part: string) => Error,
): number {
  const last = pattern[at + 1] === "?" ? at + 1 : at;
  const next = pattern[last + 1];
  if (next !== undefined && "*+?".includes(next)) {
    throw fail("invalid nested repetition operator", pattern.slice(at, last + 2));
  }
  return last;
}

function skipGroupHead(pattern: string, at: number): number {
  const head = /^\(\?(?:P?<\w+>|[imsU-]*:|[imsU-]+\))/.exec(pattern.slice(at));
  if (head === null) {
    throw new Error(
      `error parsing regexp: invalid or unsupported Perl syntax: \`${pattern.slice(at, at + 3)}\``,
    );
  }
  // A bare flag group is closed already: leave its parenthesis to be counted.
  return at + head[0].length - (head[0].endsWith(")") ? 2 : 1);
}

/** Index of the `]` that ends the class that starts at `at`, or -1. */
function classEnd(pattern: string, at: number): number {
  let i = at + 1;
  if (pattern[i] === "^") i++;
  if (pattern[i] === "]") i++;
  for (; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern.startsWith("[:", i)) {
      const end = pattern.indexOf(":]", i);
      if (end > 0) i = end + 1;
    } else if (pattern[i] === "]") return i;
  }
  return -1;
}
