/** Below this a value is a common word or number: masked everywhere, it would make the job's log unreadable. */
const MIN_LENGTH = 5;

/** What the runner is told to mask for one secret: it looks for single lines only. */
export function masksOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return [...new Set(lines)].filter((line) => line.length >= MIN_LENGTH);
}
