import type { PlanWarning } from "../model/plan.ts";

/** What evaluation of a Tiltfile starts from. Plain data: it is handed to a Worker. */
export interface EvaluateOptions {
  /** Path of the Tiltfile, absolute or relative to the process's directory. */
  readonly tiltfile: string;
  /** Command-line arguments for the Tiltfile: resource names or settings, `--` left out. */
  readonly args: readonly string[];
  /** What `config.tilt_subcommand` says. */
  readonly subcommand: string;
  /** The environment that the Tiltfile sees and may change. */
  readonly env: Readonly<Record<string, string>>;
  /** The cluster that a run deploys to; `allowed` when it is known for a development cluster. */
  readonly kubeContext: {
    readonly name: string;
    readonly namespace: string;
    readonly allowed: boolean;
  };
  readonly extensions: ExtensionOptions;
  /** Of this evaluation alone: where the stand-in for `tilt` goes. Whoever gives it removes it; none when absent. */
  readonly shimDirectory?: string;
  /** False (`--no-local-exec`): neither `local()` nor any command of a resource may be asked for. */
  readonly allowLocalExec: boolean;
  /** Milliseconds from the start after which evaluation fails; none when absent. */
  readonly deadlineMs?: number;
  /** What `sys.argv` holds; `["tilt", "ci"]` when absent. */
  readonly argv?: readonly string[];
  /** Version that `version_settings` and the `tilt` shim report; a current one of Tilt when absent. */
  readonly tiltVersion?: string;
}

/** Where extensions come from. */
export interface ExtensionOptions {
  /** Repositories are kept in `<cacheDir>/tilt_modules/<host>/<path>`. */
  readonly cacheDir: string;
  /** JSON file: URL of a repository → commit. */
  readonly lockFile?: string;
  /** Never fetch: only what the cache holds is used. */
  readonly offline: boolean;
}

export type LogLevel = "info" | "warn" | "error";

export interface ExecOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | undefined;
  /** Each line of output is logged with this before it; silent when absent. */
  readonly logPrefix?: string | undefined;
  /** The command may be tried again when it fails for a passing reason (a download). */
  readonly retryable?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface ExecOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut?: boolean;
}

/** What evaluation needs of the outside beside reading files. All calls block. */
export interface SyncHost {
  /** Runs a command to its end. Throws when it could not be started, with the reason as message. */
  exec(argv: readonly string[], options: ExecOptions): ExecOutcome;
  /** One line, without its end; the last line of a warning brings the warning itself. */
  log(line: string, level: LogLevel, warning?: PlanWarning): void;
  /** Called when the Tiltfile first asks for something in a cluster: it may be brought up meanwhile. */
  needsCluster?(): void;
}
