import { closeSync, constants, openSync, readFileSync, readSync, statSync } from "node:fs";
import { errorCode } from "./go/os-error.ts";

const CHUNK_BYTES = 64 << 10;
/** Of what is no regular file: `/dev/zero` never ends. */
const MAX_STREAM_BYTES = 64 << 20;
const PAUSE_MS = 10;

/**
 * Reads a file. A pipe is read to its end, one that nobody has open for writing being empty: the wait for a writer
 * would hold the thread where no signal reaches it.
 * @throws what node:fs throws
 */
export function readBytes(path: string): Buffer {
  const stats = statSync(path);
  return stats.isFile() || stats.isDirectory() ? readFileSync(path) : readStream(path);
}

function readStream(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total <= MAX_STREAM_BYTES; ) {
      const chunk = readChunk(descriptor);
      if (chunk.length === 0) return Buffer.concat(chunks);
      chunks.push(chunk);
      total += chunk.length;
    }
    throw new Error(`it has more than ${MAX_STREAM_BYTES >> 20} MiB and is no regular file`);
  } finally {
    closeSync(descriptor);
  }
}

/** What comes next, waiting for it in small steps, between which the thread can be ended. */
function readChunk(descriptor: number): Buffer {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (;;) {
    try {
      return chunk.subarray(0, readSync(descriptor, chunk));
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      Atomics.wait(nothing, 0, 0, PAUSE_MS);
    }
  }
}
