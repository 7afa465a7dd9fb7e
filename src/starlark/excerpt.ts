import type { Position } from "./errors.ts";

const RED = "\u001b[31m";
const RESET = "\u001b[0m";

/** How to draw an excerpt. */
export interface ExcerptOptions {
  /** ANSI colour for the caret. */
  readonly color?: boolean;
}

/**
 * The source line of a position with a caret under its column, as two lines without a final newline;
 * empty when the source has no such line. Tabs before the column are repeated so that the caret stands right.
 */
export function formatExcerpt(
  source: string,
  { line, col }: Position,
  options: ExcerptOptions = {},
): string {
  const text = source.split(/\r\n|\r|\n/, line).at(line - 1);
  if (line < 1 || text === undefined || text.trim() === "") return "";
  const label = `${line}`.padStart(4);
  const before = [...text].slice(0, Math.max(0, col - 1));
  const indent = before
    .map((c) => (c === "\t" ? "\t" : c.charCodeAt(0) < 0x1100 ? " " : "  "))
    .join("");
  const caret = options.color ? `${RED}^${RESET}` : "^";
  return `${label} | ${text}\n${" ".repeat(label.length)} | ${indent}${caret}`;
}
