const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text with its control characters spelt out: names may hold anything, and a terminal would obey. */
export function oneLine(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
