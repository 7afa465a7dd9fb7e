/** A place in a file. `line` and `column` are 1-based; columns count code points; `file` is an absolute path. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`, as Tilt prints it. */
export function formatPosition({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}
