import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { CancelledError, messageOf } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { formatDuration } from "../model/duration.ts";
import type { Plan, PlanWarning } from "../model/plan.ts";
import type { EvaluateOptions, ExecOptions, ExecOutcome, LogLevel } from "./options.ts";
import { TiltfileError } from "./tiltfile-error.ts";
import { workerFile } from "./worker-file.ts";
import {
  type ExecAnswer,
  fromPlainError,
  type WorkerInput,
  type WorkerMessage,
} from "./worker-protocol.ts";

/** For recursion as deep as Tilt allows. */
const STACK_MB = 256;
/** A command that prints more fails: what it printed could not be handed on whole. */
const MAX_OUTPUT_CHARS = 256 << 20;
/** A cancelled command has this long before it is killed, so that all ends within a second. */
const KILL_AFTER_MS = 600;
/** How long after the deadline the Worker is ended from outside. */
const DEADLINE_GRACE_MS = 1000;

/** How the caller of evaluateInWorker() takes part. */
export interface EvaluationHooks {
  /** Each line of the log as it comes, the output of commands included; a warning comes with its last line. */
  log(line: string, level: LogLevel, warning?: PlanWarning): void;
  /**
   * Called before each command. It may wait (for a cluster that `kubectl` needs), give the environment that the command
   * runs with, or throw: the message then stands in the Tiltfile's error.
   */
  beforeCommand?(
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    // biome-ignore lint/suspicious/noConfusingVoidType: most hooks only wait
  ): Promise<Readonly<Record<string, string>> | void>;
  /** The Tiltfile has asked for something in a cluster for the first time. */
  onNeedsCluster?(): void;
  /** Decides whether a command that failed is run once more. */
  onCommandFailure?(argv: readonly string[], outcome: ExecOutcome): Promise<"fail" | "retry">;
  /** Ends evaluation: the running command's process group is ended, then the Worker. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Evaluates a Tiltfile in a Worker, so that the program goes on meanwhile.
 * @throws TiltfileError when the Tiltfile is wrong, CancelledError within a second of the signal
 */
export async function evaluateInWorker(
  options: EvaluateOptions,
  host: Host,
  hooks: EvaluationHooks,
): Promise<Plan> {
  const { signal } = hooks;
  if (signal?.aborted) throw new CancelledError();
  const channel = new MessageChannel();
  const gate = new SharedArrayBuffer(4);
  const input: WorkerInput = { options, gate, answers: channel.port2 };
  const worker = new Worker(await workerFile(), {
    workerData: input,
    transferList: [channel.port2],
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  const commands = new CommandRunner(host, hooks, gate, channel.port1);
  let onAbort: (() => void) | undefined;
  let overdue: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Plan>((resolve, reject) => {
      onAbort = () => reject(new CancelledError());
      signal?.addEventListener("abort", onAbort);
      worker.on("message", (message: WorkerMessage) => {
        if (message.type === "log") hooks.log(message.line, message.level, message.warning);
        else if (message.type === "needs-cluster") hooks.onNeedsCluster?.();
        else if (message.type === "exec") commands.answer(message.argv, message.options);
        else if (message.type === "plan") resolve(message.plan);
        else reject(fromPlainError(message.error));
      });
      worker.once("error", (error) => reject(withoutMemory(error)));
      const { deadlineMs } = options;
      if (deadlineMs !== undefined) {
        // The interpreter looks at its deadline itself; long work inside of one builtin does not.
        const late = () =>
          reject(new TiltfileError(`evaluation took longer than ${formatDuration(deadlineMs)}`));
        overdue = setTimeout(late, deadlineMs + DEADLINE_GRACE_MS);
      }
      worker.once("exit", () => reject(new Error("the evaluation ended without a plan")));
      if (signal?.aborted) onAbort();
    });
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
    clearTimeout(overdue);
    // Commands first: the signal has reached them, or none is running.
    await commands.ended();
    await worker.terminate();
    channel.port1.close();
  }
}

function withoutMemory(error: Error): Error {
  if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") return error;
  return new TiltfileError("evaluation needs more memory than the program may use", {
    hint: "NODE_OPTIONS=--max-old-space-size=MEGABYTES allows more",
    cause: error,
  });
}

/** Runs the commands that the Worker waits for, one at a time. */
class CommandRunner {
  readonly #host: Host;
  readonly #hooks: EvaluationHooks;
  readonly #flag: Int32Array;
  readonly #answers: MessagePort;
  #running: Promise<void> = Promise.resolve();

  constructor(host: Host, hooks: EvaluationHooks, gate: SharedArrayBuffer, answers: MessagePort) {
    this.#host = host;
    this.#hooks = hooks;
    this.#flag = new Int32Array(gate);
    this.#answers = answers;
  }

  /** Runs a command and wakes the Worker with its outcome. */
  answer(argv: readonly string[], options: ExecOptions): void {
    this.#running = this.#run(argv, options).then(
      (outcome) => this.#wake({ type: "outcome", outcome }),
      (error) => this.#wake({ type: "refused", message: messageOf(error) }),
    );
  }

  /** Resolves when no command runs any more. */
  async ended(): Promise<void> {
    await this.#running;
  }

  #wake(answer: ExecAnswer): void {
    this.#answers.postMessage(answer);
    Atomics.store(this.#flag, 0, 1);
    Atomics.notify(this.#flag, 0);
  }

  async #run(argv: readonly string[], options: ExecOptions): Promise<ExecOutcome> {
    const prepared = this.#hooks.beforeCommand?.(argv, options.env);
    const env = (await unlessAborted(prepared, this.#hooks.signal)) ?? options.env;
    const outcome = await this.#attempt(argv, options, env);
    if (outcome.exitCode === 0 || !options.retryable || outcome.timedOut) return outcome;
    const decision = await this.#hooks.onCommandFailure?.(argv, outcome);
    return decision === "retry" ? this.#attempt(argv, options, env) : outcome;
  }

  async #attempt(
    argv: readonly string[],
    { cwd, stdin, logPrefix, timeoutMs }: ExecOptions,
    env: Readonly<Record<string, string>>,
  ): Promise<ExecOutcome> {
    const { log, signal } = this.#hooks;
    const outcome = await this.#host.run(argv, {
      cwd,
      env,
      killAfterMs: KILL_AFTER_MS,
      maxBuffer: MAX_OUTPUT_CHARS,
      signal,
      ...(stdin === undefined ? {} : { input: stdin }),
      ...(timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, timeoutMs) }),
      ...(logPrefix === undefined
        ? {}
        : { onLine: (line: string) => log(`${logPrefix}${line}`, "info") }),
    });
    const { stdout, stderr, timedOut } = outcome;
    if (stdout.length >= MAX_OUTPUT_CHARS) {
      throw new Error(`it printed more than ${MAX_OUTPUT_CHARS >> 20} MiB`);
    }
    // Go's exit code of a command that a signal ended.
    const exitCode = outcome.signal === undefined ? outcome.exitCode : -1;
    return { exitCode, stdout, stderr, timedOut };
  }
}

/** What a promise resolves to, or CancelledError as soon as the signal fires. */
async function unlessAborted<T>(
  promise: Promise<T> | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (promise === undefined || signal === undefined) return promise;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(new CancelledError());
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort);
      promise.then(resolve, reject);
    });
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}
