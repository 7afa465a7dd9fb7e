import type { AppliedObject } from "../applied-object.ts";
import type { Retry } from "./retry.ts";

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Make namespaces that objects name and the server lacks. */
  readonly createNamespaces: boolean;
  /** For one request (`update_settings(k8s_upsert_timeout_secs)`). */
  readonly upsertTimeoutMs: number;
  /** For one object, over all its retries. */
  readonly retryWithinMs: number;
  readonly maxParallel: number;
  /** Nothing is kept, nothing is waited for. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** A line of progress for the resource's log. */
  readonly onLine: (line: string) => void;
  readonly onRetry: (retry: Retry) => void;
  /** At once after each object: what a clean-up has to know even when a later one fails. */
  readonly onApplied: (object: AppliedObject) => void;
  /** Something of this run that is still at work brings the definition of that kind. */
  readonly mayStillBeDefined: (apiVersion: string, kind: string) => boolean;
  /** Whether what refuses an object with such a message, for now, may still let it pass. */
  readonly mayStillPass: (message: string) => boolean;
}
