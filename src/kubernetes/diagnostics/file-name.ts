import { createHash } from "node:crypto";

const LONGEST = 80;

/** A name as one harmless path segment; where that changes it, a hash keeps different names apart. */
export function fileSegment(name: string): string {
  const safe = name
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(0, LONGEST);
  if (safe === name && safe !== "") return safe;
  return `${safe}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}
