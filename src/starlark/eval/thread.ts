import {
  BUILTIN_FILE,
  BUILTIN_POSITION,
  type CallFrame,
  EvaluationError,
  formatStack,
  type Position,
} from "../errors.ts";
import { fuel } from "../values/fuel.ts";
import { StarlarkFunction } from "../values/function.ts";
import { typeName } from "../values/repr.ts";
import type { StarlarkString } from "../values/text.ts";
import { type Kwargs, StarlarkObject, type Value } from "../values/value.ts";
import { builtinFrame, builtinSite, placeError, StackOverflow, stackFrames, vm } from "./vm.ts";

/** The global variables of a module, by name. */
export type Globals = Map<string, Value>;

/** How a thread prints. The message has no final newline. */
export type PrintHandler = (message: StarlarkString, thread: Thread) => void;

/** How a thread answers a load statement: the module's globals, or an error thrown. */
export type LoadHandler = (thread: Thread, module: string, position: Position) => Globals;

/** What a thread is given. All is optional. */
export interface ThreadOptions {
  readonly name?: string;
  readonly print?: PrintHandler;
  readonly load?: LoadHandler;
  /** Steps (loop turns, calls, and builtins' work by size) after which evaluation is cancelled. */
  readonly maxSteps?: number;
  /** Epoch milliseconds after which evaluation is cancelled, whatever the clock is set to meanwhile. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  /** On a SharedArrayBuffer: evaluation is cancelled once `[0]` is not zero. */
  readonly cancelFlag?: Int32Array;
  /** The deepest stack of calls. */
  readonly maxDepth?: number;
}

/** Steps between two looks at the clock and the flags: some milliseconds at most. */
const CHECK_INTERVAL = 50_000;

const DEFAULT_MAX_DEPTH = 100_000;

/** One evaluation, or several one after the other: the stack, the limits, and the host's state. */
export class Thread {
  readonly name: string;
  /** The host's own state. */
  readonly locals = new Map<unknown, unknown>();
  readonly print: PrintHandler | undefined;
  readonly load: LoadHandler | undefined;
  readonly #options: ThreadOptions;
  readonly #maxDepth: number;
  #cancelReason: string | undefined = undefined;
  /** Steps counted until the last refill. */
  #counted = 0;
  /** Steps granted by the last refill. */
  #granted = 0;
  /** The fuel that was left when the thread was put aside. */
  #left = 0;
  #sites: typeof vm.sites = [];
  #depth = 0;

  constructor(options: ThreadOptions = {}) {
    this.name = options.name ?? "thread";
    this.print = options.print;
    this.load = options.load;
    this.#options = options;
    this.#maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
  }

  /** Steps so far. */
  get steps(): number {
    const left = vm.thread === this ? fuel[0]! : this.#left;
    return this.#counted + this.#granted - left;
  }

  /** Makes evaluation fail soon with `Starlark computation cancelled: REASON`. The first reason stays. */
  cancel(reason: string): void {
    this.#cancelReason ??= reason;
    if (vm.thread === this) this.#spend();
  }

  #spend(): void {
    this.#counted = this.steps;
    this.#granted = 0;
    fuel[0] = 0;
  }

  /** Refuels, or throws when a limit has been reached. Called when the fuel has run out. */
  checkpoint(): void {
    this.#spend();
    const reason = this.#cancelReason ?? this.#exceeded();
    if (reason !== undefined) {
      this.#cancelReason = reason;
      throw new Error(`Starlark computation cancelled: ${reason}`);
    }
    const { maxSteps } = this.#options;
    this.#granted =
      maxSteps === undefined ? CHECK_INTERVAL : Math.min(CHECK_INTERVAL, maxSteps - this.#counted);
    fuel[0] = this.#granted;
  }

  #exceeded(): string | undefined {
    const { maxSteps, deadline, signal, cancelFlag } = this.#options;
    if (maxSteps !== undefined && this.#counted >= maxSteps) return "too many steps";
    if (signal?.aborted)
      return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
    if (cancelFlag !== undefined && Atomics.load(cancelFlag, 0) !== 0) return "interrupted";
    // not Date.now(), which jumps when the clock is set
    if (deadline !== undefined && performance.timeOrigin + performance.now() > deadline)
      return "deadline exceeded";
    return undefined;
  }

  /**
   * Runs something as this thread: its stack and its fuel are the current ones meanwhile. Called within one of its
   * own builtins, it adds that builtin's frame.
   */
  run<T>(body: () => T): T {
    return vm.thread === this ? this.#runWithin(body) : this.#runApart(body);
  }

  #runWithin<T>(body: () => T): T {
    const { depth, builtin } = vm;
    if (builtin !== undefined) vm.sites[++vm.depth] = builtinSite(builtin);
    vm.builtin = undefined;
    try {
      return body();
    } finally {
      vm.depth = depth;
      vm.builtin = builtin;
    }
  }

  #runApart<T>(body: () => T): T {
    const outer = { ...vm };
    const outerFuel = fuel[0]!;
    vm.thread = this;
    vm.depth = this.#depth;
    vm.maxDepth = this.#maxDepth;
    vm.sites = this.#sites;
    vm.builtin = undefined;
    fuel[0] = this.#left;
    try {
      return body();
    } finally {
      this.#left = fuel[0]!;
      Object.assign(vm, outer);
      fuel[0] = outerFuel;
    }
  }

  /** Calls a Starlark function, from a builtin or from outside. Throws StarlarkErrors. */
  call(fn: Value, args: readonly Value[], kwargs: Kwargs = []): Value {
    return this.run(() => {
      if (fn instanceof StarlarkObject && fn.call) return callObject(this, fn, args, kwargs);
      throw new Error(`invalid call of non-function (${typeName(fn)})`);
    });
  }

  /** The active calls, outermost first; the running builtin's own frame is last. */
  callStack(): CallFrame[] {
    if (vm.thread !== this) return [];
    return vm.builtin === undefined ? stackFrames() : [...stackFrames(), builtinFrame(vm.builtin)];
  }

  /** Where the running builtin was called: the innermost point in a source file. */
  callerPosition(): Position;
  /** The innermost point in a source file that will do, if there is one. */
  callerPosition(accepts: (file: string) => boolean): Position | undefined;
  callerPosition(accepts?: (file: string) => boolean): Position | undefined {
    const depth = vm.thread === this ? vm.depth : 0;
    for (let i = depth; i > 0; i--) {
      const { position } = vm.sites[i]!;
      if (position.file !== BUILTIN_FILE && (accepts?.(position.file) ?? true)) return position;
    }
    return accepts ? undefined : BUILTIN_POSITION;
  }

  /** The active calls as text, a heading first, without a final newline. */
  stackText(): string {
    return formatStack(this.callStack());
  }
}

/** Calls a callable value whose caller's site has been recorded, or that has no caller. */
function callObject(
  thread: Thread,
  fn: StarlarkObject,
  args: readonly Value[],
  kwargs: Kwargs,
): Value {
  if (vm.depth >= vm.maxDepth) throw new StackOverflow(stackFrames(), false);
  vm.builtin = fn instanceof StarlarkFunction ? undefined : fn;
  try {
    return fn.call!(thread, args, kwargs);
  } catch (error) {
    throw error instanceof EvaluationError ? error : placeError(error, builtinFrame(fn));
  }
}
