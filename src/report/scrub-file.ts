import { closeSync, constants, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import type { Scrubber } from "./scrub.ts";

const CHUNK_BYTES = 1 << 20;

/**
 * Scrubs a file of text that was written before all secrets were known, in one step: readers see the old text or the
 * new one. Returns its size. Throws the file system's error, and has removed the file then: better no log than a secret.
 */
export function scrubFile(path: string, scrubber: Scrubber): number {
  const temporary = `${path}.tmp`;
  try {
    const bytes = copyScrubbed(path, temporary, scrubber);
    renameSync(temporary, path);
    return bytes;
  } catch (error) {
    for (const file of [temporary, path]) rmSync(file, { recursive: true, force: true });
    throw error;
  }
}

function copyScrubbed(from: string, to: string, scrubber: Scrubber): number {
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const source = openSync(from, constants.O_RDONLY | noFollow);
  const target = openSync(
    to,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | noFollow,
    0o644,
  );
  const decoder = new StringDecoder("utf8");
  const scrubbing = scrubber.stream();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let written = 0;
  const write = (text: string) => {
    const bytes = Buffer.from(text, "utf8");
    for (let at = 0; at < bytes.length; ) at += writeSync(target, bytes, at);
    written += bytes.length;
  };
  try {
    for (let read = readSync(source, chunk); read > 0; read = readSync(source, chunk))
      write(scrubbing.push(decoder.write(chunk.subarray(0, read))));
    write(scrubbing.push(decoder.end()));
    write(scrubbing.end());
  } finally {
    closeSync(source);
    closeSync(target);
  }
  return written;
}
