const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  ENOEXEC: "exec format error",
  // Node's own, for a path with a NUL in it.
  ERR_INVALID_ARG_VALUE: "invalid argument",
};

/** The code of an error of node:fs, if it is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

export function isNotExist(error: unknown): boolean {
  return errorCode(error) === "ENOENT";
}

/** What the system said, as Go words it. */
export function osReason(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined && REASONS[code] !== undefined) return REASONS[code];
  return error instanceof Error ? error.message : String(error);
}

/** An error of node:fs in Go's words: `open PATH: no such file or directory`. Keeps the code. */
export function goPathError(operation: string, path: string, error: unknown): Error {
  const shown = operation === "open" && errorCode(error) === "EISDIR" ? "read" : operation;
  const wrapped = new Error(`${shown} ${path}: ${osReason(error)}`, { cause: error });
  return Object.assign(wrapped, { code: errorCode(error) });
}
