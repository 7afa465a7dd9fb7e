import type { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { Backlog } from "./console-backlog.ts";
import type { Footer } from "./console-footer.ts";

/** A stream of the process; `columns` and `rows` where it is a terminal. */
export type ConsoleStream = Writable & { readonly columns?: number; readonly rows?: number };

/** Bytes that may wait for a slow reader; beyond that lines are dropped here (they are whole in the log files). */
const MAX_QUEUED = 2 * 1024 * 1024;

/**
 * Where lines go. Waits for slow readers without growing, falls silent for those that are gone, and keeps the footer
 * below everything: lines and a new footer are one write, so that nothing flickers.
 */
export class Sink {
  readonly #streams: { readonly stdout: Outlet; readonly stderr: Outlet };
  readonly #footer: Footer | undefined;
  #drawn: readonly string[] = [];
  readonly #resized = () => this.refresh();

  constructor(stdout: ConsoleStream, stderr: ConsoleStream, footer: Footer | undefined) {
    const out = new Outlet(stdout);
    this.#streams = { stdout: out, stderr: stderr === stdout ? out : new Outlet(stderr) };
    this.#footer = footer;
    if (footer !== undefined) stdout.on("resize", this.#resized);
  }

  /** Writes whole lines above the footer. */
  write(lines: readonly string[], to: "stdout" | "stderr" = "stdout"): void {
    const text = lines.map((line) => `${line}\n`).join("");
    if (this.#footer === undefined) {
      this.#streams[to].write(text, lines.length);
      return;
    }
    if (to === "stdout") {
      this.#draw(text, lines.length);
      return;
    }
    this.#clear();
    this.#streams.stderr.write(text, lines.length);
    this.#draw("", 0);
  }

  /** Draws the footer anew if it has changed. */
  refresh(): void {
    if (this.#footer !== undefined) this.#draw("", 0);
  }

  /** Removes the footer and waits until everything is written, or nobody reads any more. */
  async close(): Promise<void> {
    this.#footer?.finish();
    this.#clear();
    this.#streams.stdout.stream.off("resize", this.#resized);
    await Promise.all([this.#streams.stdout.end(), this.#streams.stderr.end()]);
  }

  #clear(): void {
    if (this.#drawn.length === 0) return;
    this.#streams.stdout.write(this.#erase(), 0);
    this.#drawn = [];
  }

  #draw(text: string, count: number): void {
    const { stream } = this.#streams.stdout;
    const next = this.#footer?.render(stream.columns ?? 80, stream.rows ?? 24) ?? [];
    const same =
      text === "" &&
      next.length === this.#drawn.length &&
      next.every((line, i) => line === this.#drawn[i]);
    if (same) return;
    const frame = `${this.#erase()}${text}${next.map((line) => `${line}\n`).join("")}`;
    this.#drawn = next;
    // Terminals that know synchronised output show the frame at once; others ignore these marks.
    this.#streams.stdout.write(`\x1b[?2026h${frame}\x1b[?2026l`, count);
  }

  /** Goes back over the footer, counting the rows it takes now: a narrower terminal has wrapped its lines. */
  #erase(): string {
    if (this.#drawn.length === 0) return "";
    const columns = Math.max(1, this.#streams.stdout.stream.columns ?? 80);
    const rows = this.#drawn.reduce(
      (sum, line) =>
        sum + Math.max(1, Math.ceil([...stripVTControlCharacters(line)].length / columns)),
      0,
    );
    return `\x1b[${rows}A\r\x1b[0J`;
  }
}

/** One stream: what comes while it is full waits, is dropped and counted when too much does; silent after an error. */
class Outlet {
  readonly stream: ConsoleStream;
  readonly #backlog = new Backlog(MAX_QUEUED);
  #full = false;
  #gone = false;
  #dropped = 0;
  readonly #onDrain = () => this.#drain();
  readonly #onError = () => {
    // EPIPE: the reader has gone. The verdict is told by exit code and reports.
    this.#gone = true;
    this.#backlog.clear();
    this.#onSettled?.();
  };
  #onSettled: (() => void) | undefined;

  constructor(stream: ConsoleStream) {
    this.stream = stream;
    stream.on("drain", this.#onDrain);
    stream.on("error", this.#onError);
  }

  write(text: string, lines: number): void {
    if (this.#gone || text === "") return;
    if (!this.#full) this.#send(text);
    else if (lines > 0 && !this.#backlog.hasRoomFor(text)) this.#dropped += lines;
    else this.#backlog.add(text);
  }

  /** Resolves when everything has been written, or the reader has gone. Errors after that are still swallowed. */
  async end(): Promise<void> {
    this.#note();
    while (!this.#backlog.isEmpty && !this.#gone)
      await new Promise<void>((done) => {
        this.#onSettled = done;
      });
    if (!this.#gone && this.stream.writableLength > 0)
      await new Promise<void>((done) => {
        this.#onSettled = done;
        this.stream.write("", () => done());
      });
    this.stream.off("drain", this.#onDrain);
  }

  #drain(): void {
    this.#full = false;
    while (!this.#full && !this.#gone) {
      const block = this.#backlog.take();
      if (block === undefined) break;
      this.#send(block, () => this.#backlog.giveBack(block));
    }
    if (!this.#full) this.#note();
    if (this.#backlog.isEmpty) this.#onSettled?.();
  }

  #note(): void {
    if (this.#dropped === 0 || this.#gone) return;
    const text = `… ${this.#dropped} lines left out here: the reader was too slow; the log files have them all\n`;
    this.#dropped = 0;
    if (this.#full) this.#backlog.add(text);
    else this.#send(text);
  }

  #send(content: string | Uint8Array, written?: () => void): void {
    try {
      this.#full = !this.stream.write(content, written);
    } catch {
      this.#onError(); // a stream that was destroyed
    }
  }
}
