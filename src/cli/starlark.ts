import { readFileSync, writeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  parseStarlarkOptions,
  STARLARK_HELP,
  type StarlarkOptions,
  StarlarkUsageError,
} from "./starlark-options.ts";
import { type ReplEvaluator, runRepl } from "./starlark-repl.ts";
import { ReplSession } from "./starlark-repl-session.ts";
import {
  NeedsStack,
  type SessionOutput,
  type StarlarkProgram,
  StarlarkSession,
} from "./starlark-session.ts";

/*
 * `tilt-ci starlark`: most programs run in the process's own thread, for a Worker costs as much as the start of Node.
 * The few that need more stack than that has are begun again in a Worker with room for 100,000 calls. A program can
 * do nothing but print, and does it the same way each time, so that the Worker just skips what has been printed.
 */

/** The streams that the command uses. */
export interface StarlarkIo {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(bytes: Uint8Array | string): unknown; readonly isTTY?: boolean };
  /** Writes to standard error at once, where that spares setting up the stream. */
  readonly writeError?: (bytes: Uint8Array) => void;
}

const EXIT = { passed: 0, failed: 1, usage: 2 } as const;

/** Enough for 100,000 calls through loops, conditionals and comprehensions. */
const WORKER_STACK_MB = 900;

/** What a Worker is given to do: programs to run. */
interface RunTask {
  readonly options: StarlarkOptions;
  readonly programs: readonly StarlarkProgram[];
  /** Print calls that have been made already. */
  readonly skip: number;
  readonly isTerminal: boolean;
}

/** What a Worker is given to do: inputs to evaluate, each a message that is answered when it is done. */
interface ReplTask {
  readonly options: StarlarkOptions;
  /** Shared; `[0]` is set to interrupt an input. */
  readonly cancelFlag: Int32Array;
}

interface WorkerTask {
  readonly starlark?: RunTask;
  readonly repl?: ReplTask;
}

/** The command. Returns the exit code: 0, 1 when a program failed, 2 for a wrong command line. */
export async function runStarlark(argv: readonly string[], io: StarlarkIo): Promise<number> {
  let options: StarlarkOptions | "help";
  try {
    options = parseStarlarkOptions(argv);
  } catch (error) {
    if (!(error instanceof StarlarkUsageError)) throw error;
    io.stderr.write(`error: ${error.message}\n\n${STARLARK_HELP}`);
    return EXIT.usage;
  }
  if (options === "help") {
    io.stdout.write(STARLARK_HELP);
    return EXIT.passed;
  }
  const programs =
    options.code === undefined
      ? fileProgramsOf(options)
      : [{ name: "cmdline", source: options.code }];
  if (programs.length > 0) return runPrograms(options, programs, io);
  if (io.stdin.isTTY) return runReplInWorker(options, io);
  return runPrograms(options, [{ name: "stdin", source: await readAll(io.stdin) }], io);
}

function fileProgramsOf({ files }: StarlarkOptions): StarlarkProgram[] {
  return files.map((name) => ({ name, source: name === "-" ? readFileSync(0) : undefined }));
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

function outputOf(io: StarlarkIo): SessionOutput {
  return {
    write: io.writeError ?? ((bytes) => void io.stderr.write(bytes)),
    get isTerminal() {
      return io.stderr.isTTY === true;
    },
  };
}

function runAll(session: StarlarkSession, programs: readonly StarlarkProgram[]): number {
  let code: number = EXIT.passed;
  for (const program of programs) if (!session.run(program)) code = EXIT.failed;
  return code;
}

async function runPrograms(
  options: StarlarkOptions,
  programs: readonly StarlarkProgram[],
  io: StarlarkIo,
) {
  const output = outputOf(io);
  const session = new StarlarkSession(options, output, { canRetry: true, skip: 0 });
  try {
    return runAll(session, programs);
  } catch (error) {
    if (!(error instanceof NeedsStack)) throw error;
    return runInWorker({ options, programs, skip: session.printed, isTerminal: output.isTerminal });
  }
}

declare const __filename: string;

function startWorker(workerData: WorkerTask): Worker {
  return new Worker(__filename, {
    workerData,
    resourceLimits: { stackSizeMb: WORKER_STACK_MB },
  });
}

/** The next message of a Worker; throws what the Worker failed with. */
function answerOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (answer) => {
      worker.off("error", reject);
      resolve(answer);
    });
  });
}

async function runInWorker(starlark: RunTask): Promise<number> {
  return (await answerOf(startWorker({ starlark }))) as number;
}

/** The terminal stays free meanwhile: Ctrl-C interrupts an input, and nothing else. */
async function runReplInWorker(options: StarlarkOptions, io: StarlarkIo): Promise<number> {
  const cancelFlag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = startWorker({ repl: { options, cancelFlag } });
  const evaluator: ReplEvaluator = {
    async evaluate(source) {
      Atomics.store(cancelFlag, 0, 0);
      worker.postMessage(source);
      await answerOf(worker);
    },
    interrupt: () => Atomics.store(cancelFlag, 0, 1),
  };
  const code = await runRepl(evaluator, io.stdin as Readable, io.stdout as Writable);
  await worker.terminate();
  return code;
}

/** Writes all of it, also to a pipe that is full for the moment. */
function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

function workOffPrograms({ options, programs, skip, isTerminal }: RunTask): void {
  const output: SessionOutput = { write: (bytes) => writeFully(2, bytes), isTerminal };
  const session = new StarlarkSession(options, output, { canRetry: false, skip });
  parentPort!.postMessage(runAll(session, programs));
}

function workOffInputs({ options, cancelFlag }: ReplTask): void {
  const session = new ReplSession(options, (text) => writeFully(1, Buffer.from(text)), cancelFlag);
  parentPort!.on("message", (source: string) => {
    session.evaluate(source);
    parentPort!.postMessage(null);
  });
}

// The bundle that the command runs from is also the Worker's.
const task = isMainThread ? undefined : (workerData as WorkerTask | null);
if (task?.starlark) workOffPrograms(task.starlark);
if (task?.repl) workOffInputs(task.repl);
