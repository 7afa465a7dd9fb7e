import { Agent, request } from "node:https";
import type { Credentials } from "./kubeconfig.ts";

/** An answer of the API server; `status` 0 when there was none. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * The little that bringing a cluster up asks of its API server, over one kept-alive connection, before anything
 * like a client could be configured. Requests never throw.
 */
export interface ApiClient {
  request(
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: object,
    options?: { readonly onText?: (text: string) => void; readonly signal?: AbortSignal },
  ): Promise<ApiAnswer>;
  close(): void;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** `server` is `https://127.0.0.1:PORT`. */
export function createApiClient(server: string, credentials: Credentials): ApiClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ...credentials });
  return {
    request: (method, path, body, { onText, signal } = {}) =>
      new Promise((resolve) => {
        const failed = () => resolve({ status: 0, body: "" });
        const outgoing = request(
          new URL(path, server),
          {
            agent,
            method,
            // a watch is silent for as long as nothing happens
            ...(onText ? {} : { timeout: REQUEST_TIMEOUT_MS }),
            ...(signal ? { signal } : {}),
            headers: {
              accept: "application/json",
              "content-type":
                method === "PATCH" ? "application/merge-patch+json" : "application/json",
            },
          },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => {
              if (onText) onText(chunk);
              else text += chunk;
            });
            response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
            response.on("error", failed);
            response.on("close", failed);
          },
        );
        outgoing.on("error", failed);
        outgoing.on("timeout", () => outgoing.destroy());
        outgoing.end(body && JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}
