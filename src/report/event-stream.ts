import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { makeDirectory } from "../host/make-directory.ts";

/** An NDJSON file that grows: a kill leaves whole lines, but perhaps the last. */
export class EventStream {
  readonly path: string;
  /** A write failed: what followed would begin in the middle of a line, so nothing follows. */
  broken = false;
  #fd: number | undefined;

  /** Replaces the file. Throws the file system's error. */
  constructor(path: string) {
    this.path = resolve(path);
    makeDirectory(dirname(this.path));
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;
    this.#fd = openSync(this.path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644);
  }

  /** Appends a whole line. Throws the file system's error once; later lines are dropped. */
  write(line: string): void {
    if (this.#fd === undefined || this.broken) return;
    this.broken = true;
    const bytes = Buffer.from(line, "utf8");
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.broken = false;
  }

  /** Puts another text in the place of all that was written. Throws the file system's error, and is broken then. */
  replace(text: string): void {
    // What went into a pipe has been read.
    if (this.#fd === undefined || this.broken || !fstatSync(this.#fd).isFile()) return;
    ftruncateSync(this.#fd);
    this.write(text);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
