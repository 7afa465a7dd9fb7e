import pRetry from "p-retry";
import { CancelledError, EnvironmentError, messageOf, PhaseFailure } from "../errors.ts";
import type { Failure } from "../model/result.ts";
import { DockerError } from "./docker.ts";

/** How often and how patiently an operation is tried again after a failure that is not the user's. */
export interface RetryPolicy {
  readonly retries: number;
  readonly minTimeoutMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { retries: 2, minTimeoutMs: 1000 };
/** Sending again costs little, and a registry that was started again answers after some seconds: 15 in all. */
export const PUSH_RETRY: RetryPolicy = { retries: 4, minTimeoutMs: 1000 };

const INFRASTRUCTURE = [
  /cannot connect to the docker daemon/i,
  /is the docker daemon running/i,
  /error during connect/i,
  /code = (?:Unavailable|DeadlineExceeded)/,
  /connection (?:reset by peer|refused|timed out)/i,
  /broken pipe|unexpected EOF|\bEOF$/,
  /i\/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout/i,
  /no such host|temporary failure in name resolution|server misbehaving|network is unreachable/i,
  /unexpected (?:http )?status(?: code)?[^\n]*\b(?:5\d\d|429)\b/i,
  /\b(?:500 Internal Server Error|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b/i,
  /toomanyrequests|429 Too Many Requests/i,
  /failed commit on ref[^\n]*failed precondition|failed size validation/,
  /no space left on device/i,
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|socket hang up/,
];

/** Whether an error's text speaks of daemon, network, registry or disk and not of what the user wrote. */
export function isInfrastructureText(text: string): boolean {
  return INFRASTRUCTURE.some((pattern) => pattern.test(text));
}

/**
 * Whether a name server has said that a registry's host does not exist. One that is down or cut off says something else
 * (`server misbehaving`, a timeout): an answer that stays the same is about the name that the user wrote.
 */
export function isUnknownHost(text: string): boolean {
  return /no such host/i.test(text);
}

/** A failure of what we stand on: retried, and reported as such when retrying does not help. */
export class InfrastructureError extends Error {
  readonly detail: string | undefined;
  /** Trying again may help: a full disk stays full. */
  readonly isTransient: boolean;
  /** What it turns out to be when trying again does not help. */
  readonly lasting: PhaseFailure | undefined;
  constructor(
    message: string,
    options: {
      detail?: string | undefined;
      cause?: unknown;
      isTransient?: boolean;
      lasting?: PhaseFailure | undefined;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "InfrastructureError";
    this.detail = options.detail;
    this.lasting = options.lasting;
    this.isTransient = options.isTransient ?? !/no space left/i.test(message);
  }
}

/**
 * Runs an operation and tries it again while it throws `InfrastructureError`; each such attempt is told to `onRetry`.
 * What is left after the last try becomes `PhaseFailure` (Infra). Other errors pass at once; `CancelledError` when the
 * signal fires.
 */
export async function withRetry<T>(
  operation: () => Promise<T>,
  {
    policy,
    subject,
    signal,
    onRetry,
  }: {
    policy: RetryPolicy;
    /** Starts the failure's message: `Cannot build "x"`. */
    subject: string;
    signal: AbortSignal;
    onRetry: (failure: Failure, attempt: number) => void;
  },
): Promise<T> {
  try {
    return await pRetry(operation, {
      retries: policy.retries,
      minTimeout: policy.minTimeoutMs,
      maxTimeout: 10_000,
      factor: 2,
      signal,
      shouldRetry: ({ error, attemptNumber }) => isWorthATry(error, attemptNumber),
      onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
        if (isWorthATry(error, attemptNumber) && retriesLeft > 0)
          onRetry(infraFailure(subject, error), attemptNumber);
      },
    });
  } catch (error) {
    if (signal.aborted) throw new CancelledError();
    if (error instanceof InfrastructureError)
      throw error.lasting ?? new PhaseFailure(infraFailure(subject, error));
    throw error;
  }
}

/** What will most probably stay as it is gets fewer tries. */
function isWorthATry(error: unknown, attempt: number): error is InfrastructureError {
  if (!(error instanceof InfrastructureError) || !error.isTransient) return false;
  return error.lasting === undefined || attempt <= DEFAULT_RETRY.retries;
}

function infraFailure(subject: string, error: InfrastructureError): Failure {
  const hint = hintFor(error.message);
  return {
    code: "Infra",
    message: `${subject}: ${error.message}`,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function hintFor(message: string): string | undefined {
  if (/docker daemon|error during connect/i.test(message))
    return "Check that Docker runs: docker info";
  if (/no such host|name resolution|i\/o timeout/i.test(message))
    return "The registry of the base image cannot be reached: pull the image beforehand, or check the network";
  if (/toomanyrequests|429/i.test(message))
    return "The registry limits pulls: log in with docker login, or use a mirror";
  if (/no space left/i.test(message))
    return "The disk is full: docker system df shows what uses it";
  return undefined;
}

/** Errors of Docker and Node that are the environment's, made ones that withRetry() tries again. */
export function asInfrastructure(error: unknown): unknown {
  if (error instanceof EnvironmentError || error instanceof CancelledError) return error;
  if (error instanceof InfrastructureError || error instanceof PhaseFailure) return error;
  const text = messageOf(error);
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (isInfrastructureText(text) || isInfrastructureText(code)) {
    return new InfrastructureError(text || code, { cause: error });
  }
  if (!(error instanceof DockerError)) return error;
  // Docker does not do what we ask of it for no reason that we know: nothing the user wrote asked for this.
  return new InfrastructureError(text, { detail: error.stderr, cause: error, isTransient: false });
}
