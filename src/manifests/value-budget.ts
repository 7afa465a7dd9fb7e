/** Values that one text may hold. More take gigabytes of memory, of which Node dies without saying why. */
const MAX_VALUES = 4_000_000;

/** Counts the values of a text. */
export class ValueBudget {
  #left = MAX_VALUES;

  /** Takes one value; false when there are too many. */
  take(): boolean {
    return this.#left-- > 0;
  }
}

export const TOO_MANY_VALUES = `more than ${MAX_VALUES / 1_000_000} million values`;
