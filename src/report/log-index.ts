import type { PhaseId } from "./log-path.ts";

/** What the log files hold: lines are plain text, oldest first. */
export interface LogIndex {
  describe(id: PhaseId): { readonly lines: number; readonly bytes: number } | undefined;
  tail(id: PhaseId, lines: number): readonly string[];
}

/** Lines of a failed phase's log that reports carry, and that first causes are sought in. */
export const TAIL_LINES = 100;
