import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import pRetry, { AbortError } from "p-retry";
import { Agent, type Dispatcher, fetch, ProxyAgent, type Response } from "undici";
import { messageOf } from "../../errors.ts";
import { proxyFor } from "../../host/proxy.ts";

const RETRIES = 3;
const TIMEOUT_MS = 120_000;

export interface DownloadOptions {
  /** Before the second try; doubles. */
  readonly retryDelayMs?: number;
  /** Ends a download in its midst, which throws then. */
  readonly signal?: AbortSignal;
  /** What makes the connections: directly, or as `proxiedBy()` says. */
  readonly dispatcher?: Dispatcher;
}

/** What makes connections, until it is destroyed. */
export interface Connections {
  readonly dispatcher: Dispatcher;
  destroy(): Promise<void>;
}

/** Connections through the proxies that an environment names: each hop of a redirect by its own host. */
export function proxiedBy(env: Readonly<Record<string, string>>): Connections {
  const direct = new Agent();
  const proxies = new Map<string, ProxyAgent>();
  const agentOf = (proxy: string) => {
    const agent = proxies.get(proxy) ?? new ProxyAgent(proxy);
    proxies.set(proxy, agent);
    return agent;
  };
  const dispatcher = direct.compose((dispatch) => (options, handler) => {
    const proxy = proxyFor(new URL(String(options.origin)), env);
    const through = proxy === undefined ? undefined : agentOf(proxy);
    return through ? through.dispatch(options, handler) : dispatch(options, handler);
  });
  return {
    dispatcher,
    async destroy() {
      await Promise.all([direct, ...proxies.values()].map((agent) => agent.destroy()));
    },
  };
}

/** A small text. Failing servers and connections are tried again; throws an `Error` with the URL. */
export function downloadText(url: string, options: DownloadOptions = {}): Promise<string> {
  return retrying(url, options, (response) => response.text());
}

/** A file; returns the SHA-256 of what arrived, in hex. Tried again like `downloadText()`. */
export function downloadFile(
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<string> {
  return retrying(url, options, async (response) => {
    const hash = createHash("sha256");
    const hashed = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const body = Readable.fromWeb(response.body as ReadableStream);
    await pipeline(body, hashed, createWriteStream(path));
    return hash.digest("hex");
  });
}

function retrying<T>(
  url: string,
  { retryDelayMs = 1000, signal, dispatcher }: DownloadOptions,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const ends = () => [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  const attempt = async () => {
    try {
      const response = await fetch(url, {
        signal: AbortSignal.any(ends()),
        ...(dispatcher && { dispatcher }),
      });
      if (response.ok) return await read(response);
      await response.body?.cancel();
      const problem = new Error(`Cannot download ${url}: HTTP status ${response.status}`);
      throw response.status >= 500 || response.status === 429 ? problem : new AbortError(problem);
    } catch (error) {
      if (error instanceof AbortError || messageOf(error).includes(url)) throw error;
      // fetch says "fetch failed"; the reason is its cause
      const reason = error instanceof Error && error.cause ? error.cause : error;
      throw new Error(`Cannot download ${url}: ${messageOf(reason)}`, { cause: error });
    }
  };
  return pRetry(attempt, {
    ...{ retries: RETRIES, minTimeout: retryDelayMs, factor: 2 },
    ...(signal && { signal }),
  });
}
