import { StringDecoder } from "node:string_decoder";

/** A line longer than this is delivered in pieces: memory stays bounded whatever a program prints. */
const MAX_LINE = 1 << 20;

/**
 * Cuts a byte stream into lines and hands them on one by one. A callback that returns a promise holds the
 * stream back until it resolves. A last line without an end is delivered too; `\r\n` counts as one line end.
 */
export async function forEachLine(
  stream: AsyncIterable<Uint8Array>,
  onLine: (line: string) => void | Promise<void>,
): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const text = rest + decoder.write(chunk as Buffer);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const held = onLine(text.slice(start, text[end - 1] === "\r" ? end - 1 : end));
      if (held instanceof Promise) await held;
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length > MAX_LINE) {
      const held = onLine(rest);
      if (held instanceof Promise) await held;
      rest = "";
    }
  }
  rest += decoder.end();
  if (rest !== "") await onLine(rest);
}

/** Keeps the last `max` characters of what is added. */
export class Tail {
  readonly #max: number;
  #parts: string[] = [];
  #length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
    while (this.#parts.length > 1 && this.#length - this.#parts[0]!.length >= this.#max) {
      this.#length -= this.#parts.shift()!.length;
    }
  }

  toString(): string {
    const text = this.#parts.join("");
    return text.length > this.#max ? text.slice(-this.#max) : text;
  }
}
