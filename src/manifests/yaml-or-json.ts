import { type GoJsonError, readJsonStream } from "./go-json.ts";
import { parseYamlStream, type YamlDocument } from "./yaml.ts";
import { YamlError } from "./yaml-error.ts";

/** Kubernetes' decoder looks this far for a `{`. */
const GUESS_LENGTH = 4096;
const MAY_BE_JSON = /^(?:(?!\ufeff)\s|\x85)*\{/;
/** So many bytes must be there wherever YAML may begin, or Kubernetes does not try. */
const LOOK_AHEAD = 4;

/**
 * The documents of a text that is YAML or a stream of JSON values (`{}{}`), as Kubernetes' decoder reads it: from a `{`
 * on as JSON as far as it goes, the rest as YAML unless there were two values before.
 * @throws YamlError with Go's wording, the file, line and document.
 */
export function parseYamlOrJsonStream(text: string, { file }: { file: string }): YamlDocument[] {
  if (!MAY_BE_JSON.test(text.slice(0, GUESS_LENGTH))) return parseYamlStream(text, { file });
  const lineAt = lineCounter(text);
  const { items, end, error } = readJsonStream(text);
  const documents = items
    .map(({ value, offset }) => ({ value, line: lineAt(offset) }))
    .filter(({ value }) => value !== null);
  if (error === undefined) return documents;
  const place = { file, line: lineAt(error.offset), document: items.length + 1 };
  if (items.length > 1) throw new YamlError(error.message, place);
  const start = skipBlanks(text, end);
  if (start === undefined) throw new YamlError(describe(error, text), place);
  const rest = { file, line: lineCounter(text)(start), document: items.length + 1 };
  try {
    return [...documents, ...parseYamlStream(text.slice(start), rest)];
  } catch (yamlError) {
    // The complaint is about the JSON as long as no YAML has been read.
    const isFirst = yamlError instanceof YamlError && yamlError.document === rest.document;
    throw isFirst ? new YamlError(describe(error, text), place) : yamlError;
  }
}

/** The offset behind blanks up to the first line break and with it; undefined near the end of the text. */
function skipBlanks(text: string, from: number): number | undefined {
  for (let at = from; Buffer.byteLength(text.slice(at, at + LOOK_AHEAD)) >= LOOK_AHEAD; at += 1) {
    if (text[at] === "\n") return at + 1;
    if (!/\s/.test(text[at]!)) return at;
  }
  return undefined;
}

/** Go has no offset for a text that ends too early. */
function describe({ message, offset }: GoJsonError, text: string): string {
  if (message === "unexpected EOF") return message;
  return `json: offset ${Buffer.byteLength(text.slice(0, offset)) + 1}: ${message}`;
}

/** Tells the 1-based lines of offsets, each of which must be at or behind the one before. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let next = text.indexOf("\n");
  return (offset) => {
    while (next >= 0 && next < offset) {
      line += 1;
      next = text.indexOf("\n", next + 1);
    }
    return line;
  };
}
