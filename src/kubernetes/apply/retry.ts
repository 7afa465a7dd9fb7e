import pRetry from "p-retry";
import { CancelledError } from "../../errors.ts";
import { ApiError } from "../api/api-error.ts";
import { pause } from "../api/pause.ts";

/** An attempt that failed for a reason that passes. */
export interface Retry {
  /** `Kind/namespace/name`. */
  readonly object: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly message: string;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3_000;
/** What a server asks for is granted up to this. */
const LONGEST_ASKED_MS = 10_000;

/**
 * Repeats a task while it fails for reasons that pass, at most for `withinMs`; then its last error comes through.
 * Throws CancelledError when the signal fires.
 */
export async function retryPassing<T>(
  task: () => Promise<T>,
  options: {
    readonly object: string;
    readonly withinMs: number;
    readonly signal: AbortSignal;
    readonly isPassing: (error: unknown) => boolean;
    readonly onRetry: (retry: Retry) => void;
  },
): Promise<T> {
  const { object, withinMs, signal, isPassing, onRetry } = options;
  try {
    return await pRetry(task, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      factor: 1.7,
      maxRetryTime: withinMs,
      signal,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!isPassing(error)) return false;
        onRetry({ object, attempt: attemptNumber, message: error.message });
        const asked = error instanceof ApiError ? (error.retryAfterSecs ?? 0) * 1000 : 0;
        if (asked > 0) await pause(Math.min(asked, LONGEST_ASKED_MS), signal);
        return true;
      },
    });
  } catch (error) {
    if (signal.aborted) throw new CancelledError();
    throw error;
  }
}
