/**
 * One operation for all who ask for the same key: its promise is kept and shared. One that fails (is cancelled) is
 * forgotten, so that it may be tried again.
 */
export function once<T>(
  kept: Map<string, Promise<T>>,
  key: string,
  operation: () => Promise<T>,
): Promise<T> {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const made = operation();
  kept.set(key, made);
  made.catch(() => kept.delete(key));
  return made;
}
