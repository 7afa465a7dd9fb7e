import { toJsString } from "./text.ts";

/**
 * An error in an operation, not yet placed: the interpreter adds the call stack. The message may hold Starlark
 * strings (UTF-8 bytes), which are decoded here; builtins of the host throw a plain `Error` instead.
 */
export function fault(message: string): Error {
  return new Error(toJsString(message));
}

/** What V8 refuses, and how that is told: its own words mean nothing to whoever wrote the program. */
const ENGINE_LIMITS: ReadonlyMap<string, string> = new Map([
  ["Invalid string length", "excessive text length"],
  ["Invalid array length", "excessive length"],
  ["Maximum BigInt size exceeded", "excessive integer size"],
]);

/** The message of an error in the words of Starlark. */
export function messageOf(error: Error): string {
  return (error instanceof RangeError && ENGINE_LIMITS.get(error.message)) || error.message;
}

/** What `setAttr` throws for a field that the value cannot have: the message then gets a suggestion. */
export class NoSuchAttributeError extends Error {}
