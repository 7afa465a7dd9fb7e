import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Beyond this a run's end would visibly wait for sums that nobody may want: larger files have none. */
const MAX_HASHED_BYTES = 64 * 1024 * 1024;

/** SHA-256 (hex) of files by path, the first 64 MiB of them all together. Files that cannot be read are left out. */
export function hashFiles(
  directory: string,
  files: readonly { readonly path: string; readonly bytes: number }[],
): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  let room = MAX_HASHED_BYTES;
  for (const { path, bytes } of files) {
    if (bytes > room) continue;
    room -= bytes;
    try {
      const content = readFileSync(join(directory, path));
      sums.set(path, createHash("sha256").update(content).digest("hex"));
    } catch {
      // what could not be written is told by the log store
    }
  }
  return sums;
}
