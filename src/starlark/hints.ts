import type { StarlarkError } from "./errors.ts";

/** A habit from Python, by the message it leads to and what the line holds. */
interface Habit {
  readonly message: RegExp;
  readonly line?: RegExp;
  readonly hint: string;
}

const HABITS: readonly Habit[] = [
  {
    message: /got string literal, want/,
    line: /\b[fF]["']/,
    hint: 'Starlark has no f-strings: write "{}".format(x) or "%s" % x',
  },
  {
    message: /got string literal, want/,
    line: /["']\s*["']/,
    hint: 'adjacent strings are not joined: write "a" + "b"',
  },
  { message: /got is, want/, hint: "Starlark has no `is`: write x == None" },
  { message: /got '\*\*', want|got '\*', want/, line: /\*\*/, hint: "Starlark has no ** operator" },
  { message: /got import, want/, hint: 'Starlark has no import: write load("file", "name")' },
  { message: /got from, want/, hint: 'Starlark has no import: write load("file", "name")' },
  {
    message: /got class, want/,
    hint: "Starlark has no classes: struct() or a dict holds data, def makes functions",
  },
  {
    message: /got (try|except|finally|raise), want/,
    hint: "Starlark has no exceptions: test first, or call fail()",
  },
  { message: /got with, want/, hint: "Starlark has no with statement" },
  { message: /got del, want/, hint: "Starlark has no del: write d.pop(key)" },
  {
    message: /got (global|nonlocal), want/,
    hint: "an inner scope cannot assign to an outer variable: change a list or dict that it holds",
  },
  {
    message: /does not associate with/,
    hint: "comparisons are not chained: write a < b and b < c",
  },
  { message: /unparenthesized tuple with trailing comma/, hint: "put the tuple in parentheses" },
  {
    message: /unknown binary op: (string \+ \w+|\w+ \+ string)/,
    hint: "only strings join strings: write str(x), or use %",
  },
  {
    message: /string value is not iterable|got string, want iterable/,
    hint: "strings are not iterable: use s.elems() or s.codepoints()",
  },
  {
    message: /unknown conversion %[-#0-9.+ ]|format spec features/,
    hint: "formatting has no widths, flags or precision",
  },
  {
    message: /frozen (list|hash table)/,
    hint: "the values of a module are frozen once its file has run",
  },
  {
    message: /^local variable (\w+) referenced before assignment/,
    hint: "a name that a function assigns anywhere is local to all of it",
  },
  { message: /unhashable type: list/, hint: "a list cannot be a key: use a tuple" },
  { message: /called recursively/, hint: "this dialect has no recursion" },
];

/** What to do instead, for an error that Python programmers often meet; `line` is the source line to blame. */
export function hintFor(error: StarlarkError, line: string): string | undefined {
  return HABITS.find(
    (habit) => habit.message.test(error.message) && (habit.line?.test(line) ?? true),
  )?.hint;
}
