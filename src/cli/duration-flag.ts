import { InvalidArgumentError } from "commander";
import { parseDuration } from "../model/duration.ts";

/** A flag's Go duration, in milliseconds; 0 = no limit. */
export function durationFlag(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0)
    throw new InvalidArgumentError(`"${text}" is no duration: write 30s, 5m or 1h30m`);
  return ms;
}

/** Adds to a flag that may be given several times. */
export function listFlag(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** The same for names: several may stand in one word, with commas between them, as `tilt ci` takes them. */
export function nameListFlag(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(",").filter((name) => name !== "")];
}
