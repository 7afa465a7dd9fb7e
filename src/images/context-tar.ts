/** A build context as a tar archive, for the classic builder: same files, same bytes, whoever owns them. */

import { createReadStream } from "node:fs";
import type { ContextEntry } from "./context-walk.ts";

const BLOCK = 512;
/** What the octal fields of a header can hold. */
const MAX_OCTAL_SIZE = 0o77777777777;
const TYPE_FLAGS = { file: "0", link: "2", directory: "5", fifo: "6", extended: "x" } as const;

/** A file of the archive that is in no directory: the Dockerfile. */
export interface ExtraFile {
  readonly path: string;
  readonly contents: string;
}

/**
 * The archive of `entries`, owned by root, with `extra` files put last (they win over files of the same path).
 * Files are streamed; one that shrinks while it is read is filled up, one that grows is cut, as its header says.
 */
export async function* tarContext(
  entries: AsyncIterable<ContextEntry>,
  extra: readonly ExtraFile[] = [],
): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    const { stats, type } = entry;
    const size = type === "file" ? stats.size : 0;
    yield header({
      path: type === "directory" ? `${entry.path}/` : entry.path,
      type,
      mode: stats.mode & 0o7777,
      size,
      mtime: Math.max(0, Math.floor(stats.mtimeMs / 1000)),
      target: entry.target ?? "",
    });
    if (size > 0) yield* fileBlocks(entry.absolute, size);
  }
  for (const { path, contents } of extra) {
    const bytes = Buffer.from(contents);
    yield header({ path, type: "file", mode: 0o644, size: bytes.length, mtime: 0, target: "" });
    yield bytes;
    yield padding(bytes.length);
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* fileBlocks(path: string, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: 1 << 18 })) {
    left -= (chunk as Buffer).length;
    yield chunk as Buffer;
  }
  for (; left > 0; left -= Math.min(left, 1 << 16)) yield Buffer.alloc(Math.min(left, 1 << 16));
  yield padding(size);
}

function padding(size: number): Uint8Array {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

interface HeaderFields {
  readonly path: string;
  readonly type: keyof typeof TYPE_FLAGS;
  readonly mode: number;
  readonly size: number;
  /** Epoch seconds. */
  readonly mtime: number;
  readonly target: string;
}

/** A ustar header, after a pax one where ustar's fields are too narrow. */
function header(fields: HeaderFields): Uint8Array {
  const records = [
    ...(fitsName(fields.path) ? [] : [paxRecord("path", fields.path)]),
    ...(fitsName(fields.target) ? [] : [paxRecord("linkpath", fields.target)]),
    ...(fields.size > MAX_OCTAL_SIZE ? [paxRecord("size", String(fields.size))] : []),
  ];
  if (records.length === 0) return plainHeader(fields);
  const body = Buffer.concat(records);
  return Buffer.concat([
    plainHeader({
      path: "pax",
      type: "extended",
      mode: 0o644,
      size: body.length,
      mtime: 0,
      target: "",
    }),
    body,
    padding(body.length),
    plainHeader(fields),
  ]);
}

function fitsName(name: string): boolean {
  return name.length <= 100 && /^[\x20-\x7e]*$/.test(name);
}

/** `<length> <key>=<value>\n`, the length counting itself (POSIX pax). */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + String(rest.length).length;
  if (rest.length + String(length).length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function plainHeader({ path, type, mode, size, mtime, target }: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number) =>
    block.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  block.write(path, 0, 100, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size > MAX_OCTAL_SIZE ? 0 : size, 124, 12);
  octal(mtime, 136, 12);
  block.fill(" ", 148, 156);
  block.write(TYPE_FLAGS[type], 156, "latin1");
  block.write(target, 157, 100, "utf8");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
