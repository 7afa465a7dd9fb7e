import type { Position } from "../errors.ts";
import { bytesToString, fromJsString, type StarlarkString } from "../values/text.ts";

const CR = 13;
const LF = 10;

/** The text of a file, as bytes. Places in it are offsets; lines and columns are worked out when asked for. */
export class SourceText {
  readonly path: string;
  readonly text: StarlarkString;
  #lineStarts: number[] | undefined = undefined;
  readonly #firstLine: number;

  /** `firstLine` is the number of the text's first line, when it is part of something larger. */
  constructor(path: string, source: string | Uint8Array, firstLine = 1) {
    this.path = path;
    this.text = typeof source === "string" ? fromJsString(source) : bytesToString(source);
    this.#firstLine = firstLine;
  }

  /** Line and column of an offset. */
  position(offset: number): Position {
    this.#lineStarts ??= findLineStarts(this.text);
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    let col = 1;
    for (let i = starts[low]!; i < offset; i++)
      if ((this.text.charCodeAt(i) & 0xc0) !== 0x80) col++;
    return { file: this.path, line: low + this.#firstLine, col };
  }
}

/** LF, CR and CRLF each end a line. */
function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === LF || (c === CR && text.charCodeAt(i + 1) !== LF)) starts.push(i + 1);
  }
  return starts;
}
