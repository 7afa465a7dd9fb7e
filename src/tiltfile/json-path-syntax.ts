/**
 * Refuses a malformed JSON path.
 * @throws Error in kubectl's words
 */
export function checkJsonPath(path: string): void {
  const open = path.indexOf("{");
  if (open >= 0 && !path.slice(open).includes("}")) throw new Error("unclosed action");
}
