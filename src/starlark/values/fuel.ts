/** Steps left until the running thread looks at its limits. A typed array counts without allocating. */
export const fuel = new Int32Array(1);

const ENDLESS = 0x3fffffff;

let refuel: () => void = fillUp;

/** Tells what to do when the fuel is gone: give more, or throw. The interpreter asks the running thread. */
export function onFuelSpent(action: () => void): void {
  refuel = action;
}

/**
 * Counts steps: a loop turn or a call is one, other work is charged by its size. Whatever may take long has to charge,
 * or no limit stops it: a small value can stand for a text of any length.
 */
export function charge(steps: number): void {
  fuel[0]! -= Math.min(steps, ENDLESS);
  if (fuel[0]! < 0) refuel();
}

/** Lets go of all limits: values may be written and compared while no thread runs. */
export function fillUp(): void {
  fuel[0] = ENDLESS;
}
