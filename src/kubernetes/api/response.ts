import type { IncomingMessage } from "node:http";
import { CancelledError, messageOf } from "../../errors.ts";
import { ApiError, type ApiStatus, ConnectionError } from "./api-error.ts";

/** How long an answer may take when the request says nothing. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Whether the status is 2xx. */
export const isSuccess = (response: IncomingMessage) => {
  const code = response.statusCode ?? 0;
  return code >= 200 && code < 300;
};

/** What the server answered, read to its end, as an error. */
export async function errorOf(response: IncomingMessage): Promise<ApiError> {
  const text = await readText(response);
  const retryAfter = Number(response.headers["retry-after"]);
  const code = response.statusCode ?? 0;
  return new ApiError(
    code,
    statusOf(text, code),
    Number.isFinite(retryAfter) && response.headers["retry-after"] ? retryAfter : undefined,
  );
}

function statusOf(text: string, code: number): ApiStatus {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) return parsed as ApiStatus;
  } catch {
    // Proxies and a server that starts up answer in plain text.
  }
  const line = text.trim().slice(0, 500);
  return { code, message: line === "" ? `the API server answered ${code}` : line };
}

/** The whole body as text. Throws ConnectionError when it breaks off or takes too long, CancelledError. */
export async function readText(
  response: IncomingMessage,
  timeoutMs = DEFAULT_TIMEOUT_MS,
  signal?: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  const timer = setTimeout(
    () => response.destroy(new ConnectionError(`No full answer in ${timeoutMs} ms`, "ETIMEDOUT")),
    timeoutMs,
  );
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    if (signal?.aborted) throw new CancelledError();
    if (error instanceof ConnectionError) throw error;
    throw new ConnectionError(
      messageOf(error),
      (error as NodeJS.ErrnoException).code ?? "EUNKNOWN",
      error,
    );
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** `299 - "unknown field \"spec.foo\""` → the text (RFC 7234 §5.5). */
export function warningsOf(response: IncomingMessage): string[] {
  const header = response.headers.warning;
  if (typeof header !== "string") return [];
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
}
