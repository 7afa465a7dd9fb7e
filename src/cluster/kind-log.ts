/** A stage of `kind create cluster` that has ended. Times in epoch milliseconds. */
export interface Stage {
  readonly name: string;
  readonly ok: boolean;
  readonly startedAt: number;
  readonly at: number;
}

/**
 * Follows what kind prints off a terminal: ` • stage …` at the start and ` ✓ stage` or ` ✗ stage` at the end.
 * Feed it every line; it answers with a stage when one has ended.
 */
export class StageReader {
  #current: { readonly name: string; readonly startedAt: number } | undefined;

  /** The stage that is under way. */
  get current(): string | undefined {
    return this.#current?.name;
  }

  read(line: string, at: number): Stage | undefined {
    const match = /^\s*([•✓✗])\s+(.+?)\s*$/u.exec(line);
    if (!match) return undefined;
    const name = stageName(match[2] as string);
    if (match[1] === "•") {
      this.#current = { name, startedAt: at };
      return undefined;
    }
    const startedAt = this.#current?.startedAt ?? at;
    this.#current = undefined;
    return { name, ok: match[1] === "✓", startedAt, at };
  }
}

/** What kind says at the end is about using its cluster by hand: with a kubeconfig and names that are ours to know. */
export function isFarewell(line: string): boolean {
  return /^\s*(Set kubectl context|You can now use|kubectl cluster-info|Have a (nice day|question)|Thanks for using|Not sure what to do next|$)/.test(
    line,
  );
}

/** Without kind's pictures, dots and image name: `Preparing nodes`. */
function stageName(text: string): string {
  return text
    .replace(/\s*\(.*?\)/, "")
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .trim();
}
