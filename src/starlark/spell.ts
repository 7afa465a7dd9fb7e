/** Without case and underscores, which people mistype without noticing. */
function fold(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

/** The edit distance of two strings; some number above `max` once that is certain to be exceeded. */
function editDistance(a: string, b: string, max: number): number {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > max) return long.length - short.length;
  const row = Array.from({ length: long.length + 1 }, (_, j) => j);
  for (let i = 1; i <= short.length; i++) {
    let diagonal = i - 1;
    let best = i;
    row[0] = i;
    for (let j = 1; j <= long.length; j++) {
      const substituted = diagonal + (short[i - 1] === long[j - 1] ? 0 : 1);
      diagonal = row[j]!;
      row[j] = Math.min(substituted, row[j - 1]! + 1, diagonal + 1);
      best = Math.min(best, row[j]!);
    }
    if (best > max) return best;
  }
  return row[long.length]!;
}

/**
 * The candidate nearest to a mistyped name, if one is near: fewer edits than half of the name's letters,
 * case and underscores ignored (starlark-go's rule). The first of equals wins.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let limit = (wanted.length + 1) >> 1;
  let best: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate), limit);
    if (distance < limit) {
      limit = distance;
      best = candidate;
    }
  }
  return best;
}
