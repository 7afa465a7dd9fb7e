import type { Readable, Writable } from "node:stream";
import type { RunResult } from "../model/run-result.ts";

/** What a program around this one decides for its run, and wants to hear of it: the Action. */
export interface Embedding {
  /** Known before the run begins: what it owns can be found even if it is killed at its start. */
  readonly runId: string;
  /** The cluster stays: whoever embeds the run removes it by the run's id. */
  readonly leaveTeardown: boolean;
  /** A value that must not be shown, as soon as it is known. */
  readonly onSecret: (value: string) => void;
  /** What came of the run, with the directory of its reports. Not called when it could not even begin. */
  readonly onResult: (result: RunResult, reports: string) => void;
  /** Why the run could not begin: what is wrong with its flags, and what to try. */
  readonly onRefusal: (reason: string) => void;
}

/** The process as commands see it: tests hand in streams of their own and read the exit code. */
export interface ProcessIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The words that start this program: an interpreter and a script. */
  readonly program: readonly string[];
  /** Calls back for SIGINT, SIGTERM and SIGHUP until the returned function is called. */
  onSignal(listener: (signal: "SIGINT" | "SIGTERM" | "SIGHUP") => void): () => void;
  /** Calls back for what was thrown and caught by nobody, a bug of ours, until the returned function is called. */
  onCrash?(listener: (error: unknown) => void): () => void;
  readonly embedding?: Embedding;
  /** Ends the process at once, without waiting for anything. */
  exitNow(code: number): never;
}
