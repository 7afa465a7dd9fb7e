import { plainLine, plainText } from "./plain-text.ts";

/* Escaping for the places where foreign text goes. Each function takes any text at all and is fuzzed. */

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML content and quoted attributes; control characters and ANSI sequences are gone. */
export function escapeHtml(text: string): string {
  return plainText(text).replace(/[&<>"']/g, (c) => HTML[c]!);
}

/** JSON for a `<script type="application/json">`: no `<`, so nothing in it can close the element or open a comment. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/** One line for Markdown text and table cells: nothing in it is markup, a link, a mention or an HTML tag. */
export function escapeMarkdown(text: string): string {
  return (
    plainLine(text)
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replace(/[\\`*_[\]#|~$]/g, "\\$&")
      // At the start of a line these begin lists, rules and headings.
      .replace(/^[-+=]/, "\\$&")
      .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2")
      // GitHub turns these into links and notifications.
      .replaceAll("@", "&#64;")
      .replace(/:\/\//g, "&#58;//")
      .replace(/\bwww\./gi, "www&#46;")
  );
}

/** A code span on one line, in a table cell too: fenced by more backticks than it holds. */
export function markdownCode(text: string): string {
  const line = plainLine(text).replaceAll("|", "\\|");
  if (line === "") return "";
  const fence = "`".repeat(longestRun(line) + 1);
  const padded = /^`|`$|^ .* $/.test(line) ? ` ${line} ` : line;
  return `${fence}${padded}${fence}`;
}

/** A fenced block whose fence the text cannot close. */
export function markdownBlock(text: string, language = "text"): string {
  const plain = plainText(text);
  const fence = "`".repeat(Math.max(3, longestRun(plain) + 1));
  return `${fence}${language}\n${plain}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

/** The message of a GitHub workflow command: `%`, line ends. */
export function escapeWorkflowData(text: string): string {
  return plainText(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** A property of a GitHub workflow command: also `:` and `,`. */
export function escapeWorkflowProperty(text: string): string {
  return escapeWorkflowData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
