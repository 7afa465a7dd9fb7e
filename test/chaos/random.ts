/** Random numbers that a seed decides: the same seed and step give the same run, whatever ran before. */
export interface Random {
  /** At least 0, below `limit`, a whole number. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Mulberry32, seeded with the seed and the step. */
export function createRandom(seed: number, step: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(step + 1, 0xc2b2ae35);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, pick: (items) => items[below(items.length)]! };
}
