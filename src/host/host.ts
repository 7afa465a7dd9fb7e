/**
 * All that is outside the process, as one plain argument: rooms take a `Host`, tests pass a fake one.
 */
export interface Host {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly run: RunCommand;
  readonly spawn: SpawnProcess;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Monotonic milliseconds: for durations, immune to clock jumps. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with `CancelledError` when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the child; the host's when absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Ends the process group (SIGTERM, after `killAfterMs` SIGKILL) and rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined;
  /** The same end, and `timedOut: true` in the outcome. */
  readonly timeoutMs?: number;
  /** Grace between SIGTERM and SIGKILL, 2000 by default. */
  readonly killAfterMs?: number;
  /** Whole lines as they come, without line ends. A returned promise holds the stream back. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void | Promise<void>;
  /** Keep at most this many characters of each stream in the outcome (the tail); 10 MiB by default. */
  readonly maxBuffer?: number;
  /** Called with the process id (its process group's leader) once it runs. */
  readonly onPid?: (pid: number) => void;
}

export interface CommandOutcome {
  /** The exit status; 128 + n when signal n ended it. */
  readonly exitCode: number;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly durationMs: number;
}

/**
 * Runs a command in a process group of its own to its end. A non-zero exit is an outcome, not an exception.
 * Throws `CommandNotFoundError` when the program does not exist, `CancelledError` when the signal fired.
 */
export type RunCommand = (
  argv: readonly string[],
  options?: CommandOptions,
) => Promise<CommandOutcome>;

export interface RunningProcess {
  readonly pid: number;
  /** The process's stdout as bytes, only when asked for with `raw: true`. */
  readonly stdout?: AsyncIterable<Uint8Array>;
  /** Resolves when the process has ended and its output was delivered; never rejects. */
  readonly exited: Promise<{ readonly exitCode: number; readonly signal?: string }>;
  /** Ends the whole process group: SIGTERM, after `killAfterMs` (2000) SIGKILL. Resolves when it is gone. */
  stop(killAfterMs?: number): Promise<void>;
}

/** Starts a long-lived process in a process group of its own. Throws `CommandNotFoundError` when the program does not exist. */
export type SpawnProcess = (
  argv: readonly string[],
  options?: Pick<CommandOptions, "cwd" | "env" | "onLine" | "input"> & { readonly raw?: boolean },
) => Promise<RunningProcess>;
