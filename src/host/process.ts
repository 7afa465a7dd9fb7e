import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { CancelledError } from "../errors.ts";
import { CommandNotFoundError } from "./command-not-found.ts";
import type {
  CommandOptions,
  CommandOutcome,
  RunCommand,
  RunningProcess,
  SpawnProcess,
} from "./host.ts";
import { forEachLine, Tail } from "./lines.ts";

const DEFAULT_MAX_BUFFER = 10 << 20;
const DEFAULT_KILL_AFTER_MS = 2000;
/** An ended child's pipe that brings nothing for this long is somebody else's. */
const IDLE_TICK_MS = 50;
const IDLE_TICKS = 6;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

type Stdin = CommandOptions["input"];
type Ended = { readonly exitCode: number; readonly signal?: string };

/** A child that leads a process group of its own, its pipes unread as yet. */
interface Child {
  readonly pid: number;
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** The leader has ended (its pipes may still hold output). */
  readonly ended: Promise<Ended>;
}

/** Starts a child in its own process group. Throws `CommandNotFoundError`. */
async function start(
  argv: readonly string[],
  {
    cwd,
    env,
    input,
  }: { cwd?: string | undefined; env: Readonly<Record<string, string>>; input?: Stdin },
): Promise<Child> {
  const [file, ...args] = argv;
  if (!file) throw new CommandNotFoundError("");
  const child = execa(file, args, {
    env: { ...env },
    extendEnv: false,
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
    stdin: input === undefined ? "ignore" : "pipe",
    ...(cwd === undefined ? {} : { cwd }),
  });
  const outcome = child as unknown as Promise<{
    exitCode?: number;
    signal?: string;
    code?: string;
    cause?: unknown;
  }>;
  if (child.pid === undefined) {
    const { cause, code } = await outcome;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES")
      throw new CommandNotFoundError(file, cause);
    throw new Error(`Cannot run "${file}": ${cause instanceof Error ? cause.message : code}`, {
      cause,
    });
  }
  const pid = child.pid;
  const ended = new Promise<Ended>((resolve) => {
    child.once("exit", (code, signal) => {
      // What the leader left running must not outlive it, nor hold its pipes open (ci-engine.md §12).
      killGroup(pid, "SIGKILL");
      resolve(
        signal === null
          ? { exitCode: code ?? 1 }
          : { exitCode: 128 + (SIGNAL_NUMBERS[signal] ?? 0), signal },
      );
    });
  });
  if (input !== undefined) void feed(child.stdin as NodeJS.WritableStream, input);
  return {
    pid,
    stdout: untilAbandoned(child.stdout as Readable, ended),
    stderr: untilAbandoned(child.stderr as Readable, ended),
    ended,
  };
}

/**
 * A child's output until its end; or, once the child has ended, until nothing more comes: a process that has left the
 * group (`setsid`, a daemon) may hold the pipe for as long as it lives.
 */
async function* untilAbandoned(
  stream: Readable,
  ended: Promise<Ended>,
): AsyncGenerator<Uint8Array> {
  let isWaiting = false;
  let idleTicks = 0;
  let timer: NodeJS.Timeout | undefined;
  void ended.then(() => {
    // Ticks, not time: after a long computation of ours the first one comes before the pipe is read.
    timer = setInterval(() => {
      idleTicks = isWaiting ? idleTicks + 1 : 0;
      if (idleTicks > IDLE_TICKS) stream.destroy();
    }, IDLE_TICK_MS);
    if (stream.closed) clearInterval(timer);
  });
  stream.once("close", () => clearInterval(timer));
  try {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    for (;;) {
      isWaiting = true;
      const next = await chunks.next();
      isWaiting = false;
      idleTicks = 0;
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    if (idleTicks <= IDLE_TICKS) throw error;
  } finally {
    clearInterval(timer);
    stream.destroy();
  }
}

/** A child that stops reading its input is no error of ours: it ends with a status of its own. */
async function feed(stdin: NodeJS.WritableStream, input: NonNullable<Stdin>): Promise<void> {
  const source =
    typeof input === "string" || input instanceof Uint8Array
      ? Readable.from([input])
      : Readable.from(input);
  await pipeline(source, stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") source.destroy();
  });
}

/** Signals a whole process group; a group that is gone already is fine. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code !== "ESRCH" &&
      (error as NodeJS.ErrnoException).code !== "EPERM"
    )
      throw error;
  }
}

/** Ends a group: SIGTERM, after the grace SIGKILL. */
async function stopGroup(child: Child, killAfterMs: number): Promise<void> {
  killGroup(child.pid, "SIGTERM");
  const timer = new AbortController();
  const killer = delay(killAfterMs, undefined, { signal: timer.signal }).then(
    () => killGroup(child.pid, "SIGKILL"),
    () => {},
  );
  await child.ended;
  timer.abort();
  await killer;
}

/** `Host.run` on real processes. */
export function createRun(hostEnv: Readonly<Record<string, string>>): RunCommand {
  return async (argv, options = {}) => {
    if (options.signal?.aborted) throw new CancelledError();
    const startedAt = performance.now();
    const child = await start(argv, {
      cwd: options.cwd,
      env: options.env ?? hostEnv,
      input: options.input,
    });
    options.onPid?.(child.pid);
    let timedOut = false;
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping ??= stopGroup(child, options.killAfterMs ?? DEFAULT_KILL_AFTER_MS);
    };
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            stop();
          }, options.timeoutMs);
    options.signal?.addEventListener("abort", stop);
    if (options.signal?.aborted) stop(); // while the child was started
    try {
      const [ended, stdout, stderr] = await Promise.all([
        child.ended,
        collect(child.stdout, "stdout", options),
        collect(child.stderr, "stderr", options),
      ]);
      await stopping;
      if (options.signal?.aborted) throw new CancelledError();
      return {
        ...ended,
        stdout,
        stderr,
        timedOut,
        durationMs: performance.now() - startedAt,
      } satisfies CommandOutcome;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", stop);
    }
  };
}

async function collect(
  stream: AsyncIterable<Uint8Array>,
  name: "stdout" | "stderr",
  { onLine, maxBuffer = DEFAULT_MAX_BUFFER }: CommandOptions,
): Promise<string> {
  const tail = new Tail(maxBuffer);
  const decoder = new TextDecoder();
  async function* tee() {
    for await (const chunk of stream) {
      tail.add(decoder.decode(chunk, { stream: true }));
      yield chunk;
    }
  }
  if (onLine) await forEachLine(tee(), (line) => onLine(line, name));
  else for await (const _ of tee());
  return tail.toString();
}

/** `Host.spawn` on real processes. */
export function createSpawn(hostEnv: Readonly<Record<string, string>>): SpawnProcess {
  return async (argv, options = {}) => {
    const { onLine } = options;
    const child = await start(argv, {
      cwd: options.cwd,
      env: options.env ?? hostEnv,
      input: options.input,
    });
    const drained = Promise.all([
      options.raw ? undefined : forEachLine(child.stdout, (line) => onLine?.(line, "stdout")),
      forEachLine(child.stderr, (line) => onLine?.(line, "stderr")),
    ]);
    const running: RunningProcess = {
      pid: child.pid,
      ...(options.raw ? { stdout: child.stdout } : {}),
      exited: drained.catch(() => {}).then(() => child.ended),
      async stop(killAfterMs = DEFAULT_KILL_AFTER_MS) {
        await stopGroup(child, killAfterMs);
        if (!options.raw) await drained.catch(() => {});
      },
    };
    return running;
  };
}
