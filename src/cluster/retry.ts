import pRetry from "p-retry";
import { CancelledError, messageOf, RunError } from "../errors.ts";
import { CommandFailedError } from "./container-engine.ts";
import { NodeStoppedError } from "./fallen-nodes.ts";
import type { BringUpHooks } from "./hooks.ts";

/** Whether another try may well succeed: what a tool said and we know (symptoms.ts), or a node that stopped. */
export function isPassing(error: unknown): boolean {
  return error instanceof NodeStoppedError || (error instanceof CommandFailedError && error.retry);
}

/** Runs `work` up to three times, as long as it fails for reasons that pass. Throws what the last try threw. */
export async function retryPassing<T>(
  work: (attempt: number) => Promise<T>,
  hooks: BringUpHooks,
  {
    retries = 2,
    delayMs = 300,
    again = () => true,
    signal,
  }: {
    readonly retries?: number;
    readonly delayMs?: number;
    /** Whether another try still makes sense. */
    readonly again?: () => boolean;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<T> {
  try {
    return await pRetry(work, {
      retries,
      minTimeout: delayMs,
      factor: 2,
      ...(signal ? { signal } : {}),
      shouldRetry: ({ error }) => isPassing(error) && again(),
      onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
        if (retriesLeft > 0 && isPassing(error) && again())
          hooks.onRetry?.({ code: "Infra", message: messageOf(error) }, attemptNumber);
      },
    });
  } catch (error) {
    if (signal?.aborted && !(error instanceof RunError)) throw new CancelledError();
    throw error;
  }
}
