/**
 * HTTP to the API server over connections that are kept. client-node's own requests are no option: its object API
 * drops every field that its generated models do not know (tried with 1.4: a new Pod field vanished without a word,
 * and with it the server's complaint about a misspelt one), opens a connection, with its TLS handshake, for each
 * request, and its watch cannot tell a dead connection. Contexts, certificates, tokens and exec plugins are client-node's.
 */
import { setMaxListeners } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { CancelledError, messageOf } from "../../errors.ts";
import { steadyNow } from "../../host/steady-clock.ts";
import { ApiError, ConnectionError } from "./api-error.ts";
import { type Credentials, makeCredentials } from "./credentials.ts";
import { toJson } from "./json.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { DEFAULT_TIMEOUT_MS, errorOf, isSuccess, readText, warningsOf } from "./response.ts";

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Starts with a slash, segments already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** For the whole answer, of a stream for its head; 30 s by default. */
  readonly timeoutMs?: number;
}

export interface ApiAnswer<T> {
  readonly body: T;
  /** Texts of the `Warning` headers: deprecations, unknown fields. */
  readonly warnings: readonly string[];
}

/** Hears how every request went: an API server's health is read from that. */
export interface TransportObserver {
  /** Bytes came in. */
  heard(): void;
  /** A request got no answer, or one that says that the server cannot work. */
  failed(error: Error): void;
}

const MIN_SKEW_MS = 3_000;
/** A second look at the credentials for the same 401 would only ask an exec plugin in a loop. */
const CREDENTIALS_MIN_AGE_MS = 5_000;

export class Transport {
  readonly server: URL;
  readonly #access: ClusterAccess;
  readonly #observer: TransportObserver;
  readonly #prefix: string;
  #credentials: Promise<Credentials> | undefined;
  #serverAheadMs = 0;

  constructor(access: ClusterAccess, observer: TransportObserver) {
    this.#access = access;
    this.server = access.server;
    this.#prefix = access.server.pathname.replace(/\/$/, "");
    this.#observer = observer;
  }

  /**
   * Milliseconds by which the server's clock is ahead of ours, as its last answer told: what is written by one must not
   * be compared with the other without it. 0 for what may be rounding (whole seconds) or delay.
   */
  get serverAheadMs(): number {
    return this.#serverAheadMs;
  }

  /** Asks for JSON. Throws ApiError, ConnectionError, CancelledError. */
  async request<T>(request: ApiRequest): Promise<T> {
    return (await this.exchange<T>(request)).body;
  }

  /** As request(), with the server's warnings. */
  async exchange<T>(request: ApiRequest): Promise<ApiAnswer<T>> {
    const response = await this.#open(request, "requests");
    const text = await readText(response, request.timeoutMs, request.signal);
    const warnings = warningsOf(response);
    const type = response.headers["content-type"] ?? "";
    if (!type.includes("json")) return { body: text as T, warnings };
    try {
      return { body: JSON.parse(text) as T, warnings };
    } catch (error) {
      throw new ConnectionError(
        `The API server's answer is no JSON: ${messageOf(error)}`,
        "EBADJSON",
      );
    }
  }

  /** Opens an answer that has no end: a watch, a followed log. The caller destroys it. */
  stream(request: ApiRequest): Promise<http.IncomingMessage> {
    return this.#open(request, "streams");
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const credentials = await this.#credentials?.catch(() => undefined);
    credentials?.requests.destroy();
    credentials?.streams.destroy();
  }

  async #open(request: ApiRequest, agent: "requests" | "streams"): Promise<http.IncomingMessage> {
    const credentials = await this.#authorize();
    try {
      return await this.#send(request, agent, credentials);
    } catch (error) {
      if (error instanceof ApiError && error.code === 401 && this.#renew(credentials)) {
        return this.#send(request, agent, await this.#authorize());
      }
      if (error instanceof StaleConnectionError && request.method !== "POST") {
        return this.#send(request, agent, credentials);
      }
      throw error;
    }
  }

  #authorize(): Promise<Credentials> {
    if (this.#credentials === undefined) {
      const made = makeCredentials(this.#access);
      this.#credentials = made;
      made.catch(() => {
        if (this.#credentials === made) this.#credentials = undefined;
      });
    }
    return this.#credentials;
  }

  /** Forgets credentials that a server refused, unless they are new. */
  #renew(refused: Credentials): boolean {
    if (performance.now() - refused.madeAt < CREDENTIALS_MIN_AGE_MS) return false;
    this.#credentials = undefined;
    return true;
  }

  async #send(
    request: ApiRequest,
    agent: "requests" | "streams",
    credentials: Credentials,
  ): Promise<http.IncomingMessage> {
    if (request.signal?.aborted) throw new CancelledError();
    try {
      const response = await this.#exchangeHeads(request, credentials, credentials[agent]);
      this.#noteDate(response);
      response.on("data", () => this.#observer.heard());
      // Whoever reads it gets the error; while nobody does, it must not end the process.
      response.on("error", () => {});
      response.pause();
      this.#observer.heard();
      if (isSuccess(response)) return response;
      throw await errorOf(response);
    } catch (error) {
      const down = error instanceof ApiError ? error.code === 503 || error.code === 502 : true;
      if (down && error instanceof Error && !(error instanceof CancelledError))
        this.#observer.failed(error);
      throw error;
    }
  }

  #noteDate({ headers }: http.IncomingMessage): void {
    const aheadMs = Date.parse(headers.date ?? "") - steadyNow();
    if (Number.isNaN(aheadMs)) return;
    this.#serverAheadMs = Math.abs(aheadMs) < MIN_SKEW_MS ? 0 : aheadMs;
  }

  #exchangeHeads(
    request: ApiRequest,
    credentials: Credentials,
    agent: http.Agent,
  ): Promise<http.IncomingMessage> {
    const { method = "GET", signal, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
    const body = request.body === undefined ? undefined : Buffer.from(toJson(request.body));
    const client = this.server.protocol === "http:" ? http : https;
    return new Promise((resolve, reject) => {
      const outgoing = client.request({
        agent,
        method,
        host: this.server.hostname.replace(/^\[|\]$/g, ""),
        port: this.server.port || (this.server.protocol === "http:" ? 80 : 443),
        path: this.#prefix + request.path + queryText(request.query),
        headers: { ...headersOf(request, body), ...credentials.headers },
        ...(credentials.auth === undefined ? {} : { auth: credentials.auth }),
      });
      const timer = setTimeout(
        () => outgoing.destroy(new ConnectionError(`No answer in ${timeoutMs} ms`, "ETIMEDOUT")),
        timeoutMs,
      );
      const cancel = () => outgoing.destroy(new CancelledError());
      if (signal !== undefined) {
        // One signal ends hundreds of requests: that is no leak.
        setMaxListeners(0, signal);
        signal.addEventListener("abort", cancel, { once: true });
      }
      const settle = () => clearTimeout(timer);
      outgoing.once("response", (response) => {
        settle();
        response.once("close", () => signal?.removeEventListener("abort", cancel));
        resolve(response);
      });
      outgoing.on("error", (error) => {
        settle();
        signal?.removeEventListener("abort", cancel);
        reject(connectionError(error, outgoing.reusedSocket));
      });
      outgoing.end(body);
    });
  }
}

/** The server closed a kept connection while we were about to use it: says nothing about the request. */
class StaleConnectionError extends ConnectionError {}

function connectionError(error: Error, reused: boolean): Error {
  if (error instanceof CancelledError || error instanceof ConnectionError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "EUNKNOWN";
  const stale = reused && (code === "ECONNRESET" || code === "EPIPE");
  return new (stale ? StaleConnectionError : ConnectionError)(error.message || code, code, error);
}

function headersOf(request: ApiRequest, body: Buffer | undefined): http.OutgoingHttpHeaders {
  return {
    accept: request.accept ?? "application/json",
    "user-agent": "tilt-ci",
    ...(body === undefined
      ? {}
      : {
          "content-type": request.contentType ?? "application/json",
          "content-length": body.length,
        }),
  };
}

function queryText(query: ApiRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
