import { timeOf } from "../api/api-object.ts";

const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d) ?/;

/**
 * How far a log has been read. The server goes on from a whole second only, so after each reopening the lines of that
 * second that were seen already are left out: by their nanoseconds, and by their number where several have the same.
 */
export class LogCursor {
  /** Sortable: epoch seconds and nanoseconds. */
  #last = "";
  #lastSince: string | undefined;
  /** Lines with exactly the last timestamp that were passed on. */
  #taken = 0;
  /** Of those, how many the present stream has repeated. */
  #repeated = 0;
  #skipping = false;
  #at = 0;

  constructor(since: string | undefined) {
    this.#lastSince = since;
  }

  /** For the query: the second to go on from. */
  get sinceTime(): string | undefined {
    return this.#lastSince;
  }

  /** Epoch ms of the last line, 0 before the first. */
  get at(): number {
    return this.#at;
  }

  clone(): LogCursor {
    const copy = new LogCursor(this.#lastSince);
    copy.#last = this.#last;
    copy.#taken = this.#taken;
    copy.#at = this.#at;
    return copy;
  }

  /** A new stream begins, perhaps with lines that are known. */
  reopen(): void {
    this.#repeated = 0;
    this.#skipping = false;
  }

  /** A line as the server sends it, with its timestamp: what is new in it, if anything. */
  take(line: string): { readonly text: string; readonly at: number } | undefined {
    const match = TIMESTAMP.exec(line);
    // The rest of a line that was too long for one piece.
    if (match === null) return this.#skipping ? undefined : { text: line, at: this.#at };
    const [whole, second = "", fraction = "", zone = "Z"] = match;
    const at = timeOf(`${second}${zone}`) ?? 0;
    const nanos = fraction.padEnd(9, "0").slice(0, 9);
    const stamp = `${String(at).padStart(15, "0")}${nanos}`;
    this.#skipping = stamp < this.#last || (stamp === this.#last && this.#isRepeated());
    if (this.#skipping) return undefined;
    if (stamp === this.#last) this.#taken += 1;
    else this.#taken = 1;
    // What comes now is new, so nothing of this second is still to be repeated.
    this.#repeated = this.#taken;
    this.#last = stamp;
    this.#lastSince = `${second}${zone}`;
    this.#at = at + Number(nanos) / 1e6;
    return { text: line.slice(whole.length), at: this.#at };
  }

  #isRepeated(): boolean {
    if (this.#repeated >= this.#taken) return false;
    this.#repeated += 1;
    return true;
  }
}
