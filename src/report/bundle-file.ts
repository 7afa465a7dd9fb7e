import { closeSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { writeAtomically } from "./atomic.ts";
import type { Scrubber } from "./scrub.ts";

/** Share of a cut file that is its beginning; the end tells more. */
const HEAD_SHARE = 0.25;

/**
 * Rewrites a text file with secrets masked, at most about `maxBytes` of it: beginning and end, with a line between that
 * says how much is missing. With no room at all the file is removed. Returns its size now; throws the file system's error.
 */
export function trimFile(path: string, maxBytes: number, scrubber: Scrubber): number {
  if (maxBytes < 1024) {
    rmSync(path, { force: true });
    return 0;
  }
  const fd = openSync(path, "r");
  let content: string;
  try {
    const { size } = fstatSync(fd);
    if (size <= maxBytes) {
      content = scrubber.text(read(fd, 0, size));
    } else {
      const head = Math.floor((maxBytes - 200) * HEAD_SHARE);
      const tail = maxBytes - 200 - head;
      const beginning = wholeLines(read(fd, 0, head), "start");
      const end = wholeLines(read(fd, size - tail, tail), "end");
      const missing = `\n[tilt-ci: ${size - head - tail} bytes left out here]\n\n`;
      content = scrubber.text(beginning) + missing + scrubber.text(end);
    }
  } finally {
    closeSync(fd);
  }
  // Always a new file: whoever still has the old one open writes into nothing.
  writeAtomically(path, content);
  return Buffer.byteLength(content);
}

function read(fd: number, position: number, length: number): string {
  const buffer = Buffer.alloc(length);
  let at = 0;
  for (let n = -1; at < length && n !== 0; at += n)
    n = readSync(fd, buffer, at, length - at, position + at);
  return buffer.toString("utf8", 0, at);
}

/** A piece without the line that the cut went through: half a secret would not be recognised. */
function wholeLines(piece: string, from: "start" | "end"): string {
  const at = from === "start" ? piece.lastIndexOf("\n") : piece.indexOf("\n");
  if (at < 0) return "";
  return from === "start" ? piece.slice(0, at + 1) : piece.slice(at + 1);
}
