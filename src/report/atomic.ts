import { renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeDirectory } from "../host/make-directory.ts";

/**
 * Writes a file so that readers see the old content or the new one, never a part: into a temporary file beside it that is
 * then renamed. Throws the file system's error; the temporary file is gone then.
 */
export function writeAtomically(path: string, content: string | Uint8Array): void {
  const directory = dirname(path);
  makeDirectory(directory);
  const temporary = join(directory, `.${basename(path)}.${process.pid}.tmp`);
  try {
    // `wx`: not through a link that someone put in its place.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, content, { flag: "wx", mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
