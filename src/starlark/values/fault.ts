import { toJsString } from "./text.ts";

/**
 * An error in an operation, not yet placed: the interpreter adds the call stack. The message may hold Starlark
 * strings (UTF-8 bytes), which are decoded here; builtins of the host throw a plain `Error` instead.
 */
export function fault(message: string): Error {
  return new Error(toJsString(message));
}

/** What `setAttr` throws for a field that the value cannot have: the message then gets a suggestion. */
export class NoSuchAttributeError extends Error {}
