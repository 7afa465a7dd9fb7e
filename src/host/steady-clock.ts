const origin = Date.now() - performance.now();

/** Epoch milliseconds that only go forward: a clock that is set during a run must not end or prolong it. */
export function steadyNow(): number {
  return origin + performance.now();
}
