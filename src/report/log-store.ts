import { closeSync, constants, openSync, readSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../errors.ts";
import type { LogLine } from "../model/event.ts";
import type { LogIndex } from "./log-index.ts";
import { logPath, type PhaseId, phaseIdOf, phaseKey } from "./log-path.ts";
import { plainText, shorten } from "./plain-text.ts";
import { makeOwnFolder } from "./report-directory.ts";

/*
 * Logs are kept whole in files, one a phase. Writing is synchronous on purpose: a producer that is faster than the disk
 * is slowed down instead of filling memory, nothing is in flight when the process dies, and 16 KiB into the page cache
 * take microseconds.
 */

/** Keeps every line of output, on disk. */
export interface LogStore extends LogIndex {
  /** Adds a line, already scrubbed. Never throws: what a full disk takes away is counted in `problems()`. */
  write(line: LogLine): void;
  /** Brings everything to disk. */
  flush(): void;
  /** Has each file with lines rewritten by `rewrite`, which is given its absolute path and returns its new size. */
  rewrite(rewrite: (path: string) => number): void;
  /** Flushes and closes all files. */
  close(): void;
  /** What could not be written, and why. */
  problems(): readonly { readonly path: string; readonly message: string }[];
  /** Every log that has at least one line. */
  entries(): readonly { readonly id: PhaseId; readonly path: string; readonly bytes: number }[];
}

interface LogFile {
  readonly id: PhaseId;
  readonly path: string;
  fd?: number;
  /** Opened before: later openings append, the first one replaces what an earlier run left. */
  opened: boolean;
  /** What is not on disk yet: `used` bytes of it, `usedLines` lines. Only recently written files have one. */
  buffer?: Buffer;
  used: number;
  usedLines: number;
  tail?: { readonly bytes: number; readonly lines: number; readonly text: readonly string[] };
  lines: number;
  bytes: number;
  lostLines: number;
  problem?: string;
}

const BUFFER_BYTES = 16 * 1024;
/** Files with a buffer and a descriptor at a time: 1 MiB of buffers, whatever the number of resources. */
const MAX_OPEN_FILES = 64;
/** How much of a file's end is read for a tail of lines. */
const TAIL_BYTES = 64 * 1024;
const MAX_TAIL_LINE = 2000;

/** A log store in `<directory>/logs`; files are made when their first lines are flushed. */
export function createLogStore(directory: string): LogStore {
  const files = new Map<string, LogFile>();
  const open = new OpenFiles(directory);
  const flush = () => {
    for (const file of files.values()) open.flush(file);
  };
  const find = (id: PhaseId) => {
    const file = files.get(phaseKey(id));
    if (file !== undefined) open.flush(file);
    return file;
  };
  return {
    write: (line) => open.write(fileOf(files, line), formatLine(line)),
    flush,
    rewrite(rewrite) {
      for (const file of files.values()) open.rewrite(file, rewrite);
    },
    close() {
      for (const file of files.values()) open.close(file);
    },
    describe(id) {
      const file = find(id);
      return file && { lines: file.lines, bytes: file.bytes };
    },
    tail(id, lines) {
      const file = find(id);
      if (file === undefined) return [];
      if (file.tail?.bytes !== file.bytes || file.tail.lines !== lines) {
        const text = readTail(join(directory, file.path), lines);
        file.tail = { bytes: file.bytes, lines, text };
      }
      return file.tail.text;
    },
    problems: () =>
      [...files.values()].flatMap(({ path, lostLines, problem }) =>
        problem === undefined ? [] : [{ path, message: `${problem} (${lostLines} lines lost)` }],
      ),
    entries() {
      flush();
      return [...files.values()].map(({ id, path, bytes }) => ({ id, path, bytes }));
    },
  };
}

function fileOf(files: Map<string, LogFile>, line: LogLine): LogFile {
  const id = phaseIdOf(line);
  const key = phaseKey(id);
  let file = files.get(key);
  if (file === undefined) {
    const path = logPath(id);
    file = { id, path, opened: false, used: 0, usedLines: 0, lines: 0, bytes: 0, lostLines: 0 };
    files.set(key, file);
  }
  return file;
}

/**
 * The files that are written to now, least recently opened first. Lines are encoded into a buffer at once: kept as
 * strings until the next flush they would outlive V8's young generation and make it grow by tens of megabytes.
 */
class OpenFiles {
  readonly #directory: string;
  readonly #files = new Set<LogFile>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  write(file: LogFile, text: string): void {
    file.lines++;
    file.usedLines++;
    const buffer = this.#bufferOf(file);
    // A UTF-16 unit takes at most three bytes.
    if (text.length * 3 > buffer.length - file.used) this.flush(file);
    if (text.length * 3 <= buffer.length - file.used) file.used += buffer.write(text, file.used);
    else this.#append(file, Buffer.from(text, "utf8"));
  }

  flush(file: LogFile): void {
    if (file.buffer === undefined || file.used === 0) return;
    const bytes = file.buffer.subarray(0, file.used);
    file.used = 0;
    this.#append(file, bytes);
  }

  rewrite(file: LogFile, rewrite: (path: string) => number): void {
    this.close(file);
    if (!file.opened) return;
    delete file.tail;
    try {
      file.bytes = rewrite(join(this.#directory, file.path));
    } catch (error) {
      file.bytes = 0;
      file.lostLines = file.lines;
      file.problem ??= messageOf(error);
    }
  }

  close(file: LogFile): void {
    this.flush(file);
    this.#files.delete(file);
    delete file.buffer;
    if (file.fd === undefined) return;
    const { fd } = file;
    delete file.fd;
    closeSync(fd);
  }

  #bufferOf(file: LogFile): Buffer {
    if (file.buffer !== undefined) return file.buffer;
    const [oldest] = this.#files;
    if (oldest !== undefined && this.#files.size >= MAX_OPEN_FILES) this.close(oldest);
    this.#files.add(file);
    file.buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    return file.buffer;
  }

  #append(file: LogFile, bytes: Buffer): void {
    try {
      file.fd ??= this.#open(file);
      for (let at = 0; at < bytes.length; ) at += writeSync(file.fd, bytes, at);
      file.bytes += bytes.length;
    } catch (error) {
      file.lostLines += file.usedLines;
      file.problem ??= messageOf(error);
    }
    file.usedLines = 0;
  }

  #open(file: LogFile): number {
    const path = join(this.#directory, file.path);
    makeOwnFolder(dirname(path));
    const mode = file.opened ? constants.O_APPEND : constants.O_TRUNC;
    // Never through a symbolic link that something planted in the report directory.
    const flags = constants.O_WRONLY | constants.O_CREAT | mode | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(path, flags, 0o644);
    file.opened = true;
    return fd;
  }
}

let lastSecond = Number.NaN;
let lastPrefix = "";

/** `2026-01-01T00:00:05.123Z text`: colours stay as they were written; a carriage return or line feed inside starts no line of its own. */
function formatLine({ at, level, text }: LogLine): string {
  const second = Math.floor(at / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const mark = level === "info" ? "" : level === "warn" ? "WARNING: " : "ERROR: ";
  const millis = String(Math.floor(at - second * 1000)).padStart(3, "0");
  const body = /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, " ") : text;
  return `${lastPrefix}${millis}Z ${mark}${body}\n`;
}

function readTail(path: string, lines: number): readonly string[] {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return []; // never written: the problem is told by problems()
  }
  try {
    const { size } = statSync(path);
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    readSync(fd, buffer, 0, length, size - length);
    const text = plainText(buffer.toString("utf8")).replace(/\n$/, "");
    const found = text === "" ? [] : text.split("\n");
    if (length < size) found.shift(); // cut somewhere inside
    return found.slice(-lines).map((line) => shorten(withoutTime(line), MAX_TAIL_LINE));
  } finally {
    closeSync(fd);
  }
}

/** The text of a stored line. */
export function withoutTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, "");
}
