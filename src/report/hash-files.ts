import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** Beyond this a run's end would visibly wait for sums that nobody may want: larger files have none. */
const MAX_HASHED_BYTES = 64 * 1024 * 1024;
/** Read at a time: a log is never in memory whole. */
const PIECE_BYTES = 256 * 1024;

/** SHA-256 (hex) of files by path, the first 64 MiB of them all together. Files that cannot be read are left out. */
export function hashFiles(
  directory: string,
  files: readonly { readonly path: string; readonly bytes: number }[],
): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let room = MAX_HASHED_BYTES;
  for (const { path, bytes } of files) {
    if (bytes > room) continue;
    room -= bytes;
    try {
      sums.set(path, hashFile(join(directory, path), piece));
    } catch {
      // what could not be written is told by the log store
    }
  }
  return sums;
}

function hashFile(path: string, piece: Buffer): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "r");
  try {
    for (let n = readSync(fd, piece); n > 0; n = readSync(fd, piece))
      hash.update(piece.subarray(0, n));
  } finally {
    closeSync(fd);
  }
  return hash.digest("hex");
}
