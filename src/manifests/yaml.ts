import { decodeNode } from "./libyaml/decode.ts";
import { parseFirstDocument } from "./libyaml/parser.ts";
import { LibyamlError } from "./libyaml/token.ts";
import { ValueBudget } from "./value-budget.ts";
import { YamlError } from "./yaml-error.ts";
import type { YamlScalar } from "./yaml-scalar.ts";

/** What a YAML document can hold once it has gone through JSON, as sigs.k8s.io/yaml sends it. */
export type YamlValue = YamlScalar | YamlValue[] | { [key: string]: YamlValue };

export interface YamlDocument {
  readonly value: YamlValue;
  /** 1-based line of the file on which the document's text starts. */
  readonly line: number;
}

/** Where a text starts: a path and, when it is only the rest of a file, its first line and document. */
export interface StreamStart {
  readonly file: string;
  readonly line?: number;
  readonly document?: number;
}

/** A document's text as Kubernetes' reader cuts it from a stream. */
interface Chunk {
  readonly text: string;
  readonly line: number;
  readonly document: number;
}

/**
 * The documents of a YAML stream, empty ones left out, with the rules of sigs.k8s.io/yaml (YAML 1.1) and the document
 * boundaries of Kubernetes' reader: a line that starts with `---`.
 * @throws YamlError with Go's wording, the file, line and document.
 */
export function parseYamlStream(text: string, start: StreamStart): YamlDocument[] {
  const documents: YamlDocument[] = [];
  const budget = new ValueBudget();
  for (const chunk of splitDocuments(text, start)) {
    const value = parseDocument(chunk, start.file, budget);
    if (value !== null) documents.push({ value, line: chunk.line });
  }
  return documents;
}

/** Cuts a stream where Kubernetes' YAMLReader does. */
function splitDocuments(
  source: string,
  { file, line: firstLine = 1, document: firstDocument = 1 }: StreamStart,
): Chunk[] {
  const text = source.includes("\r\n") ? source.replaceAll("\r\n", "\n") : source;
  const chunks: Chunk[] = [];
  let start = 0;
  let startLine = firstLine;
  let line = firstLine;
  const push = (end: number) => {
    if (end > start) {
      const content = text.slice(start, end);
      chunks.push({
        text: content.endsWith("\n") ? content : `${content}\n`,
        line: startLine,
        document: firstDocument + chunks.length,
      });
    }
  };
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const next = newline < 0 ? text.length : newline + 1;
    if (text.startsWith("---", at)) {
      const rest = text.slice(at + 3, newline < 0 ? text.length : newline).trim();
      if (rest !== "" && !rest.startsWith("#")) {
        throw new YamlError(`invalid Yaml document separator: ${rest}`, {
          file,
          line,
          document: firstDocument + chunks.length,
        });
      }
      // A separator that nothing comes before belongs to the document that it starts.
      if (at > start) {
        push(at);
        start = next;
        startLine = line + 1;
      }
    }
    at = next;
    line += 1;
  }
  push(text.length);
  return chunks;
}

function parseDocument(chunk: Chunk, file: string, budget: ValueBudget): YamlValue {
  try {
    const node = parseFirstDocument(chunk.text, budget);
    return node === undefined ? null : decodeNode(node);
  } catch (error) {
    if (error instanceof RangeError)
      throw yamlError("document is nested too deeply", 0, chunk, file);
    if (!(error instanceof LibyamlError)) throw error;
    throw yamlError(error.message, error.line, chunk, file);
  }
}

function yamlError(message: string, line: number, chunk: Chunk, file: string): YamlError {
  return new YamlError(`error converting YAML to JSON: ${message}`, {
    file,
    line: chunk.line + Math.max(line - 1, 0),
    document: chunk.document,
  });
}
