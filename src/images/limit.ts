import { CancelledError } from "../errors.ts";

/** Lets at most `max` operations run at the same time, first come, first served. */
export function createLimit(
  max: number,
): <T>(signal: AbortSignal, operation: () => Promise<T>) => Promise<T> {
  let free = Math.max(1, max);
  const waiting: (() => void)[] = [];
  return async (signal, operation) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      if (signal.aborted) throw new CancelledError();
      return await operation();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
