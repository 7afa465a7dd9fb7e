import type { Plan, PlanWarning, ReadEnvironment } from "../model/plan.ts";
import type { Position } from "../model/position.ts";
import type { EvaluateOptions, ExecOptions, ExecOutcome, LogLevel } from "./options.ts";
import { TiltfileError } from "./tiltfile-error.ts";

/*
 * What the Worker that evaluates and the main thread say to each other. While the Worker waits for a command it blocks
 * on `gate` (0 = waiting, 1 = answered) and then takes the answer from `answers`.
 */

export interface WorkerInput {
  readonly options: EvaluateOptions;
  readonly gate: SharedArrayBuffer;
  /** The Worker's end of the channel of ExecAnswer. */
  readonly answers: MessagePort;
}

export type WorkerMessage =
  | {
      readonly type: "log";
      readonly line: string;
      readonly level: LogLevel;
      readonly warning?: PlanWarning;
    }
  | { readonly type: "needs-cluster" }
  | { readonly type: "exec"; readonly argv: readonly string[]; readonly options: ExecOptions }
  | { readonly type: "plan"; readonly plan: Plan }
  | { readonly type: "failed"; readonly error: PlainError };

export type ExecAnswer =
  | { readonly type: "outcome"; readonly outcome: ExecOutcome }
  | { readonly type: "refused"; readonly message: string };

type MessagePort = import("node:worker_threads").MessagePort;

/** An error as plain data: classes do not survive the way between threads. */
export interface PlainError {
  readonly message: string;
  readonly stack: string | undefined;
  /** There for a TiltfileError. */
  readonly tiltfile?: {
    readonly positions: readonly Position[];
    readonly resource: string | undefined;
    readonly code: TiltfileError["code"];
    readonly excerpt: string | undefined;
    readonly hint: string | undefined;
    readonly environment: ReadEnvironment | undefined;
  };
}

export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined };
  const { message, stack } = error;
  if (!(error instanceof TiltfileError)) return { message, stack };
  const { positions, resource, code, excerpt, hint, environment } = error;
  return { message, stack, tiltfile: { positions, resource, code, excerpt, hint, environment } };
}

export function fromPlainError({ message, stack, tiltfile }: PlainError): Error {
  if (tiltfile === undefined) {
    const error = new Error(message);
    if (stack !== undefined) error.stack = stack;
    return error;
  }
  const error = new TiltfileError(message, tiltfile);
  error.environment = tiltfile.environment;
  return error;
}
