const SUBSTRING_LENGTHS = [2, 3, 4];
const SCALE = 200_000;

/**
 * The candidates that share most substrings with a word, best first, as Tilt finds them for its warnings. The last
 * substring of each length does not count, as in the library that Tilt uses.
 */
export function closestMatches(
  word: string,
  candidates: readonly string[],
  limit: number,
): string[] {
  const wanted = substringsOf(word);
  const scored = [...new Set(candidates)].map((candidate) => {
    const offered = substringsOf(candidate.toLowerCase());
    const shared = [...wanted].filter((substring) => offered.has(substring)).length;
    return { candidate, score: shared * Math.floor(SCALE / (wanted.size + offered.size)) };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((left, right) => right.score - left.score)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

function substringsOf(word: string): Set<string> {
  const substrings = new Set<string>();
  for (const length of SUBSTRING_LENGTHS) {
    for (let at = 0; at < word.length - length; at += 1) {
      substrings.add(word.slice(at, at + length));
    }
  }
  return substrings;
}
