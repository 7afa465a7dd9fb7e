/** Reads a tar archive as it streams by. */

const BLOCK = 512;

/** A member of an archive. `body` is there until the next member is asked for; what is left of it is skipped. */
export interface TarMember {
  readonly name: string;
  readonly size: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Names longer than a header's field and sizes beyond 8 GiB come in pax records before their member. */
type PaxRecords = ReadonlyMap<string, string>;

/** The regular files of an archive in order. Throws for a stream that ends inside a member. */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const input = new ByteReader(stream);
  try {
    let pax: PaxRecords = new Map();
    for (;;) {
      const block = await input.read(BLOCK);
      if (!block || block.every((byte) => byte === 0)) break;
      const type = String.fromCharCode(block[156]!);
      const size = Number(pax.get("size") ?? numberField(block, 124, 12));
      const padding = (BLOCK - (size % BLOCK)) % BLOCK;
      if (type === "x") {
        pax = parsePax(await input.readFully(size));
        await input.skip(padding);
        continue;
      }
      const body = new BodyReader(input, size);
      if (type === "0" || type === "\0")
        yield { name: pax.get("path") ?? nameField(block), size, body };
      await body.finish();
      await input.skip(padding);
      pax = new Map();
    }
    await input.drain();
  } finally {
    await input.close();
  }
}

function nameField(block: Buffer): string {
  const name = textField(block, 0, 100);
  const prefix = textField(block, 257, 5) === "ustar" ? textField(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textField(block: Buffer, at: number, length: number): string {
  return block.toString("utf8", at, at + length).replace(/\0.*$/s, "");
}

/** Octal text, or (first bit set) a big-endian number. */
function numberField(block: Buffer, at: number, length: number): number {
  if (block[at]! & 0x80) return Number(block.readBigUInt64BE(at + length - 8));
  return Number.parseInt(textField(block, at, length).trim() || "0", 8);
}

function parsePax(bytes: Buffer): PaxRecords {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.toString("latin1", at, bytes.indexOf(" ", at)), 10);
    if (!(length > 0)) throw new Error("Cannot read the archive: malformed pax record");
    const record = bytes.toString("utf8", bytes.indexOf(" ", at) + 1, at + length - 1);
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** Takes bytes from a stream in pieces of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** At most `max` bytes, as they lie in memory; undefined at the end. */
  async some(max: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.length);
    }
    const taken = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** Exactly `length` bytes, or undefined at the end of the stream. */
  async read(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let left = length;
    while (left > 0) {
      const part = await this.some(left);
      if (!part) {
        if (parts.length === 0) return undefined;
        throw new Error("Cannot read the archive: it ends too early");
      }
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async readFully(length: number): Promise<Buffer> {
    const bytes = length === 0 ? Buffer.alloc(0) : await this.read(length);
    if (!bytes) throw new Error("Cannot read the archive: it ends too early");
    return bytes;
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      if (!part) throw new Error("Cannot read the archive: it ends too early");
      left -= part.length;
    }
  }

  /** Tells the stream that nobody reads on. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Lets the writer end in its own time. */
  async drain(): Promise<void> {
    while (await this.some(1 << 20));
  }
}

class BodyReader implements AsyncIterable<Uint8Array> {
  readonly #input: ByteReader;
  #left: number;

  constructor(input: ByteReader, size: number) {
    this.#input = input;
    this.#left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const part = await this.#input.some(this.#left);
      if (!part) throw new Error("Cannot read the archive: it ends too early");
      this.#left -= part.length;
      yield part;
    }
  }

  async finish(): Promise<void> {
    await this.#input.skip(this.#left);
    this.#left = 0;
  }
}
