import { NestingError } from "../syntax/parse.ts";
import { StackOverflow } from "./vm.ts";

/**
 * Whether an error means that the JavaScript stack ran out, in evaluation or in the parser: the same program gets
 * further in a Worker with a larger stack.
 */
export function isHostStackOverflow(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause as Error) {
    if (e instanceof NestingError || (e instanceof StackOverflow && e.hostStack)) return true;
  }
  return false;
}
