import type { LogLine } from "../model/event.ts";
import type { PhaseStatus } from "../model/result.ts";
import { type LogIndex, TAIL_LINES } from "./log-index.ts";
import { type PhaseId, phaseIdOf, phaseKey } from "./log-path.ts";
import { plainLogLine, shorten } from "./plain-text.ts";

const MAX_LINE = 500;

/** The last lines of phases that may still fail, in memory: what the last message of a run is made from. */
export class RecentLines implements LogIndex {
  readonly #logs = new Map<string, { lines: string[]; count: number; bytes: number }>();

  add(line: LogLine): void {
    const key = phaseKey(phaseIdOf(line));
    const log = this.#logs.get(key) ?? { lines: [], count: 0, bytes: 0 };
    this.#logs.set(key, log);
    log.count++;
    log.bytes += line.text.length + 1;
    log.lines.push(shorten(plainLogLine(line.text), MAX_LINE));
    // Twice the length before it is cut, so that cutting is seldom.
    if (log.lines.length > TAIL_LINES * 2) log.lines = log.lines.slice(-TAIL_LINES);
  }

  /** A phase that passed needs no lines any more; servers and pods may still fail. */
  settle(id: PhaseId, status: PhaseStatus): void {
    if (status !== "passed" || id.phase === "ready" || id.phase === "serve") return;
    const log = this.#logs.get(phaseKey(id));
    if (log !== undefined) log.lines = [];
  }

  describe(id: PhaseId): { readonly lines: number; readonly bytes: number } | undefined {
    const log = this.#logs.get(phaseKey(id));
    return log && { lines: log.count, bytes: log.bytes };
  }

  tail(id: PhaseId, lines: number): readonly string[] {
    return this.#logs.get(phaseKey(id))?.lines.slice(-lines) ?? [];
  }
}
