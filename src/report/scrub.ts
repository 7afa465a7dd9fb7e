import { needlesOf, type Secret } from "./secret-forms.ts";

/*
 * Keeps secret values out of everything that is shown or stored. Text is scanned once: a 64 Ki table of the hashes of
 * all needles' first three characters tells in one look-up that nothing starts here, so the cost hardly grows with the
 * number of secrets, and never with the length of a line but linearly.
 */

/** Replaces secret values by `[redacted …]`. */
export interface Scrubber {
  /** More values; returns the labels of those that are too short to be told from ordinary text. */
  add(secrets: readonly Secret[]): readonly string[];
  /** How many texts are sought: more of them, and what was scrubbed before may not be clean. */
  count(): number;
  /** The text without secrets. For text that comes in whole lines: each line of a multi-line value is sought too. */
  text(text: string): string;
  /** The same for text that is cut anywhere. */
  stream(): StreamScrubber;
  /** A copy of plain data with all its strings scrubbed; keys, and the values of identifying keys, stay. */
  data<T>(value: T): T;
}

/** Holds back the end of what it was given until no secret can begin there. */
export interface StreamScrubber {
  push(chunk: string): string;
  end(): string;
}

interface Needle {
  readonly text: string;
  readonly replacement: string;
  readonly wholeWord: boolean;
}

/** Needles have at least this many characters. */
const HASHED = 3;

/** A scrubber; add secrets as they become known. */
export function createScrubber(secrets: readonly Secret[] = []): Scrubber {
  const index = new NeedleIndex();
  const scrubber: Scrubber = {
    add(more) {
      const tooShort: string[] = [];
      for (const secret of more) {
        const needles = needlesOf(secret);
        if (needles.length === 0 && secret.value.length > 0) tooShort.push(secret.label);
        for (const { text, wholeWord } of needles)
          index.add({ text, wholeWord, replacement: `[redacted ${secret.label}]` });
      }
      return tooShort;
    },
    count: () => index.count,
    text: (text) => index.replace(text, text.length, "").text,
    stream: () => createStream(index),
    data: (value) => scrubData(value, scrubber.text),
  };
  scrubber.add(secrets);
  return scrubber;
}

function createStream(index: NeedleIndex): StreamScrubber {
  let held = "";
  let before = "";
  return {
    push(chunk) {
      const text = held + chunk;
      // A needle that begins before this lies wholly inside, with the character that ends a word after it.
      const safe = Math.max(0, text.length - index.longest);
      const replaced = index.replace(text, safe, before);
      held = text.slice(replaced.end);
      before = text.charAt(replaced.end - 1) || before;
      return replaced.text;
    },
    end() {
      const { text } = index.replace(held, held.length, before);
      held = "";
      return text;
    },
  };
}

class NeedleIndex {
  readonly #starts = new Uint8Array(1 << 16);
  readonly #buckets = new Map<number, Needle[]>();
  readonly #known = new Set<string>();
  longest = 0;

  get count(): number {
    return this.#known.size;
  }

  add(needle: Needle): void {
    if (this.#known.has(needle.text) || needle.text.length < HASHED) return;
    this.#known.add(needle.text);
    this.longest = Math.max(this.longest, needle.text.length);
    const hash = hashAt(needle.text, 0);
    this.#starts[hash] = 1;
    const bucket = this.#buckets.get(hash) ?? [];
    bucket.push(needle);
    // The longest first: a value that begins with another one is replaced as a whole.
    bucket.sort((a, b) => b.text.length - a.text.length);
    this.#buckets.set(hash, bucket);
  }

  /** Replaces all needles that begin before `limit`; `end` is how far the text was consumed. */
  replace(
    text: string,
    limit: number,
    before: string,
  ): { readonly text: string; readonly end: number } {
    if (this.longest === 0) return { text: text.slice(0, limit), end: limit };
    const parts: string[] = [];
    let copied = 0;
    const last = Math.min(limit, text.length - HASHED + 1);
    for (let at = 0; at < last; at++) {
      const hash = hashAt(text, at);
      if (this.#starts[hash] === 0) continue;
      const needle = this.#match(text, at, hash, before);
      if (needle === undefined) continue;
      parts.push(text.slice(copied, at), needle.replacement);
      copied = at + needle.text.length;
      at = copied - 1;
    }
    const end = Math.max(limit, copied);
    if (copied === 0) return { text: text.slice(0, end), end };
    parts.push(text.slice(copied, end));
    return { text: parts.join(""), end };
  }

  #match(text: string, at: number, hash: number, before: string): Needle | undefined {
    return this.#buckets
      .get(hash)
      ?.find(
        (needle) =>
          text.startsWith(needle.text, at) &&
          (!needle.wholeWord ||
            (!isWord(at === 0 ? before : text.charAt(at - 1)) &&
              !isWord(text.charAt(at + needle.text.length)))),
      );
  }
}

function hashAt(text: string, at: number): number {
  return (
    (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 5) ^ (text.charCodeAt(at + 2) << 10)) &
    0xffff
  );
}

function isWord(character: string): boolean {
  return /^[\p{L}\p{N}_]$/u.test(character);
}

// What identifies things in events and results: names of the Tiltfile, vocabularies, places. Never secret, always compared.
const IDENTIFYING: ReadonlySet<string> = new Set([
  "type",
  "resource",
  "resources",
  "phase",
  "subject",
  "status",
  "state",
  "code",
  "file",
  "id",
  "name",
  "namespace",
  "resourceDeps",
  "addresses",
  "images",
  "readiness",
  "milestone",
]);

function scrubData<T>(value: T, scrub: (text: string) => string, key = ""): T {
  if (typeof value === "string") return (IDENTIFYING.has(key) ? value : scrub(value)) as T & string;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value))
    return value.map((item) => scrubData(item, scrub, key)) as T & unknown[];
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) copy[name] = scrubData(item, scrub, name);
  return copy as T & object;
}
