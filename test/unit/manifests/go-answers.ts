import { readFileSync } from "node:fs";

/** An input with what a Go library made of it (scripts/go-answers). */
export interface GoAnswer {
  readonly text: string;
  readonly arg?: string;
  readonly out?: readonly string[];
  readonly error?: string;
}

/** The answers in testdata/NAME.json. */
export function goAnswers(name: string): GoAnswer[] {
  const file = new URL(`testdata/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).cases;
}

/** What a function gives, or the message that it throws. */
export function outcome<T>(run: () => T): { readonly value: T } | { readonly error: string } {
  try {
    return { value: run() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** JSON text with keys in order, and `bigint` as the number that it is. */
export function sortedJson(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, item]) => `${JSON.stringify(key)}:${sortedJson(item)}`);
  return `{${members.join(",")}}`;
}
