/*
 * What programs print is written for terminals. Reports are read in browsers, XML parsers and Markdown viewers:
 * colours, cursor movements and characters that XML forbids must be gone before any escaping.
 */

// ECMA-48: CSI sequences, OSC/DCS/PM/APC strings up to their terminator, two-character escapes.
const ESCAPE_SEQUENCE =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]/g;
const COLOUR = /(\x1b\[[\d;:]*m)/;
// All but tab and line feed: C0, DEL, C1, and what XML 1.0 (2.2 Char) or UTF-8 cannot carry.
const ILLEGAL =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text without escape sequences, control characters (tab and line feed stay), and lone surrogates. Line ends become `\n`. */
export function plainText(text: string): string {
  return text.replace(ESCAPE_SEQUENCE, "").replace(/\r\n?/g, "\n").replace(ILLEGAL, "");
}

/** One line of plain text: line breaks and tabs become single spaces. */
export function plainLine(text: string): string {
  return plainText(text)
    .replace(/\s*[\n\t\u2028\u2029]\s*/g, " ")
    .trim();
}

/** One line of a log: its indentation stays. */
export function plainLogLine(text: string): string {
  return plainText(text)
    .replace(/[\n\u2028\u2029]+/g, " ")
    .trimEnd();
}

/** Text that a terminal may show: colours stay (if wanted), everything else that moves the cursor or sets titles goes. */
export function terminalText(text: string, color: boolean): string {
  if (!color) return plainText(text);
  return text
    .split(COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : plainText(part)))
    .join("");
}

/** At most `max` characters; what is cut off is replaced by `…`. Never splits a surrogate pair. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(max - 2)) ? max - 2 : max - 1;
  return `${text.slice(0, end)}…`;
}
