/** A place in a document; both 0-based, as libyaml counts. */
export interface Mark {
  readonly index: number;
  readonly line: number;
  readonly column: number;
}

export type TokenType =
  | "stream-end"
  | "version-directive"
  | "tag-directive"
  | "document-start"
  | "document-end"
  | "block-sequence-start"
  | "block-mapping-start"
  | "block-end"
  | "flow-sequence-start"
  | "flow-sequence-end"
  | "flow-mapping-start"
  | "flow-mapping-end"
  | "block-entry"
  | "flow-entry"
  | "key"
  | "value"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar";

export interface Token {
  readonly type: TokenType;
  readonly start: Mark;
  readonly end: Mark;
  /** Text of a scalar, name of an anchor or alias, handle of a tag. */
  readonly value: string;
  /** Suffix of a tag, prefix of a tag directive. */
  readonly suffix?: string;
  /** A scalar without quotes and indicators. */
  readonly isPlain?: boolean;
}

/** What goyaml says of text that is no YAML: `yaml: line 3: …`. The line is goyaml's, which is not always the best one. */
export class LibyamlError extends Error {
  /** The line in the message, 0 when there is none. */
  readonly line: number;
  constructor(problem: string, line = 0) {
    super(`yaml: ${line === 0 ? "" : `line ${line}: `}${problem}`);
    this.name = "LibyamlError";
    this.line = line;
  }
}

/** An error of the scanner: goyaml reports the line after the last break before the problem, 1-based. */
export function scannerError(problem: string, mark: Mark, context?: Mark): LibyamlError {
  return new LibyamlError(problem, mark.line !== 0 ? mark.line + 1 : (context?.line ?? 0));
}

/** An error of the parser: goyaml reports the line 0-based, that is, the one before. */
export function parserError(problem: string, mark: Mark, context?: Mark): LibyamlError {
  return new LibyamlError(problem, mark.line !== 0 ? mark.line : (context?.line ?? 0));
}
