import { BUILTIN_POSITION, type CallFrame, EvaluationError, type Position } from "../errors.ts";
import { messageOf } from "../values/fault.ts";
import { fillUp, onFuelSpent } from "../values/fuel.ts";
import type { Builtin } from "../values/function.ts";
import type { StarlarkObject } from "../values/value.ts";
import type { Thread } from "./thread.ts";

/** A point in the source from which something is called: a frame of the stack while that runs. */
export interface Site {
  /** The name of the function that holds the point. */
  readonly functionName: string;
  readonly position: Position;
}

/**
 * The state of the thread that runs now. It is a single object, so that compiled code reaches it at once;
 * `Thread.run` swaps it when one thread's builtin runs another. Nothing is recorded for errors while all goes
 * well: `sites` holds the call sites of the stack, and an error copies them.
 */
export const vm: {
  thread: Thread | undefined;
  /** The number of active calls; `sites[1]` to `sites[depth]` are where they were made. */
  depth: number;
  maxDepth: number;
  sites: Site[];
  /** The builtin that runs, if one does. */
  builtin: StarlarkObject | undefined;
} = { thread: undefined, depth: 0, maxDepth: 0, sites: [], builtin: undefined };

/** The thread that runs now. */
export function currentThread(): Thread {
  if (vm.thread === undefined) throw new Error("no Starlark thread is running");
  return vm.thread;
}

onFuelSpent(() => (vm.thread === undefined ? fillUp() : vm.thread.checkpoint()));

/** The frames of the active calls, outermost first. */
export function stackFrames(): CallFrame[] {
  const frames: CallFrame[] = [];
  for (let i = 1; i <= vm.depth; i++) {
    const { functionName, position } = vm.sites[i]!;
    frames.push({ name: functionName, position });
  }
  return frames;
}

/** The frame of a builtin. */
export function builtinFrame(builtin: StarlarkObject): CallFrame {
  return { name: builtin.name ?? builtin.typeName, position: BUILTIN_POSITION };
}

const OVERFLOW = "Starlark stack overflow";

/** Whether an error is V8's, for want of stack. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === "Maximum call stack size exceeded";
}

/**
 * Gives an error in an operation or a builtin its place: the active calls, then the innermost frame. What has a
 * place already, and what is no `Error` (see EvaluationExit), stays as it is.
 */
export function placeError(error: unknown, innermost: CallFrame): unknown {
  if (!(error instanceof Error) || error instanceof EvaluationError) return error;
  if (isStackOverflow(error)) return new StackOverflow([...stackFrames(), innermost], true);
  return new EvaluationError(messageOf(error), [...stackFrames(), innermost], error);
}

/** Calls too deep: for the thread's limit, or for the JavaScript stack. */
export class StackOverflow extends EvaluationError {
  /** Whether it was the JavaScript stack that ran out: a thread with more of it gets further. */
  readonly hostStack: boolean;

  constructor(frames: readonly CallFrame[], hostStack: boolean) {
    super(OVERFLOW, frames);
    this.hostStack = hostStack;
  }
}

/** The site of a builtin that calls back. */
export function builtinSite(builtin: StarlarkObject | Builtin): Site {
  return { functionName: builtin.name ?? builtin.typeName, position: BUILTIN_POSITION };
}
