import type { Readable } from "node:stream";

const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes into lines without their ends, in groups as they arrive. A line longer than `maxBytes` comes
 * in pieces, so that memory stays bounded whatever is sent.
 */
export async function* linesOf(
  stream: Readable,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<string[]> {
  let rest: Buffer[] = [];
  let size = 0;
  const take = () => {
    const line = rest.length === 1 ? rest[0]! : Buffer.concat(rest);
    rest = [];
    size = 0;
    return line.toString("utf8");
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (size > 0) {
        rest.push(chunk.subarray(start, end));
        lines.push(take());
      } else {
        lines.push(chunk.toString("utf8", start, end));
      }
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      size += chunk.length - start;
    }
    if (size >= maxBytes) lines.push(take());
    if (lines.length > 0) yield lines;
  }
  if (size > 0) yield [take()];
}
