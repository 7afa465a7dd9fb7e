import type { Failure } from "../model/result.ts";

/** How a lease tells what it does. Times in epoch milliseconds. */
export interface BringUpHooks {
  /** A part of the work has ended: `Preparing nodes`, `unpack control plane`, `API server`. */
  onStep?(name: string, startedAt: number, at: number): void;
  /** A line that a tool printed. */
  onLine?(text: string): void;
  /** A known passing trouble: the work is tried again. */
  onRetry?(failure: Failure, attempt: number): void;
  onWarning?(message: string): void;
  /** What would make the next run better: to be told when this one is over. */
  onHint?(message: string): void;
}

/** Runs a part of the work and reports how long it took, if it went well. */
export async function step<T>(
  name: string,
  hooks: BringUpHooks,
  clock: { now(): number },
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = clock.now();
  const result = await work();
  hooks.onStep?.(name, startedAt, clock.now());
  return result;
}
