import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { PageSources } from "./html.ts";

/** What the page shows beside the result, from the files of a report directory. */
export function pageSources(directory: string, applied: ReadonlyMap<string, string>): PageSources {
  return {
    log: (path, maxBytes) => readEnd(join(directory, path), maxBytes),
    applied: (resource) => applied.get(resource),
  };
}

/** The last whole lines of a file within `maxBytes`; undefined if it cannot be read. */
export function readEnd(path: string, maxBytes: number): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined; // never written, or removed since: the report says where it would be
  }
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, maxBytes);
    const buffer = Buffer.alloc(length);
    readSync(fd, buffer, 0, length, size - length);
    const text = buffer.toString("utf8");
    return length === size ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(fd);
  }
}
