import { CancelledError } from "../errors.ts";

/** Waits for a promise that others go on with when this waiter's signal fires; then rejects with `CancelledError`. */
export function abandonable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(new CancelledError());
    if (signal.aborted) return give();
    signal.addEventListener("abort", give, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });
}
