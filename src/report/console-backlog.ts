const BLOCK_BYTES = 64 * 1024;

/**
 * Text that waits for a slow reader, first in, first out. It is encoded at once into blocks that are used again: as strings
 * lines that wait would outlive V8's young generation, and a flood of them would grow the heap by its own length.
 */
export class Backlog {
  readonly #maxBytes: number;
  /** Waiting, oldest first; the last one is still being filled. */
  #blocks: { readonly buffer: Buffer; used: number }[] = [];
  #spare: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  hasRoomFor(text: string): boolean {
    return this.#bytes + text.length <= this.#maxBytes;
  }

  /** Takes text in, also beyond the limit. */
  add(text: string): void {
    // A UTF-16 unit takes at most three bytes.
    const most = text.length * 3;
    let block = this.#blocks.at(-1);
    if (block === undefined || block.buffer.length - block.used < most) {
      const pooled = most <= BLOCK_BYTES;
      const buffer = pooled
        ? (this.#spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES))
        : Buffer.allocUnsafeSlow(most);
      block = { buffer, used: 0 };
      this.#blocks.push(block);
    }
    const written = block.buffer.write(text, block.used);
    block.used += written;
    this.#bytes += written;
  }

  /** The oldest block; its memory is given back when it has been written. */
  take(): Uint8Array | undefined {
    const block = this.#blocks.shift();
    if (block === undefined) return undefined;
    this.#bytes -= block.used;
    return block.buffer.subarray(0, block.used);
  }

  /** A block that was taken is not read any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer.byteLength === BLOCK_BYTES) this.#spare.push(Buffer.from(buffer as ArrayBuffer));
  }

  clear(): void {
    this.#blocks = [];
    this.#spare = [];
    this.#bytes = 0;
  }
}
