/** The `Status` object that an API server answers a refused request with. */
export interface ApiStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly message?: string;
      readonly field?: string;
    }[];
  };
}

/** The API server answered, and its answer is no. */
export class ApiError extends Error {
  /** HTTP status. */
  readonly code: number;
  /** `NotFound`, `AlreadyExists`, `Invalid`, …; "" when the server gave none. */
  readonly reason: string;
  readonly status: ApiStatus;
  /** Seconds that a `Retry-After` asks for. */
  readonly retryAfterSecs: number | undefined;
  constructor(code: number, status: ApiStatus, retryAfterSecs?: number) {
    super(status.message || `the API server answered ${code}`);
    this.name = "ApiError";
    this.code = code;
    this.reason = status.reason ?? "";
    this.status = status;
    this.retryAfterSecs = retryAfterSecs ?? status.details?.retryAfterSeconds;
  }
}

/** No answer: refused, reset, timed out, not a Kubernetes API. `cause` has what the socket said. */
export class ConnectionError extends Error {
  /** `ECONNREFUSED`, `ECONNRESET`, `ETIMEDOUT`, … */
  readonly code: string;
  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ConnectionError";
    this.code = code;
  }
}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 404;
}

export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.reason === "AlreadyExists";
}

/** The server forgot the resource version that a watch wants to go on from: list again. */
export function isExpired(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.code === 410 || error.reason === "Expired");
}

export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 403;
}

/** Neither the user nor the object is at fault: the same request may well succeed a moment later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof ApiError)) return false;
  return (
    error.code === 429 ||
    // what the server cannot say more about; errors of its parts, some of them about the object, come without this reason
    (error.code === 500 && (error.reason === "InternalError" || !error.status.message)) ||
    error.code === 502 ||
    error.code === 503 ||
    error.code === 504 ||
    error.reason === "ServerTimeout" ||
    error.reason === "TooManyRequests" ||
    /etcdserver: |leader changed|rpc error: code = Unavailable|the server is currently unable|apiserver not ready|storage is \(re\)initializing/.test(
      error.message,
    )
  );
}
