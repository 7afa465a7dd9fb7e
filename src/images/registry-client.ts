/** The part of the OCI distribution API (v1.1) that sending images needs, without credentials. */

import http from "node:http";
import https from "node:https";
import type { Blob } from "./layer-source.ts";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST_TYPES = [
  MANIFEST_TYPE,
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

/** A registry's answer that is not what was asked for. `status` is the HTTP status. */
export class RegistryError extends Error {
  readonly status: number;
  constructor(request: string, status: number, body: string) {
    super(`${request}: ${status} ${errorText(body)}`.trim());
    this.name = "RegistryError";
    this.status = status;
  }
}

/** The `code: message` of the distribution API's error bodies. */
function errorText(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: string; message?: string }[] };
    return (errors ?? []).map(({ code, message }) => `${code}: ${message}`).join("; ");
  } catch {
    return body.slice(0, 200).trim();
  }
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: AsyncIterable<Uint8Array>;
  /** Statuses that are answers; others throw. */
  readonly expect: readonly number[];
  readonly signal: AbortSignal;
}

/** How long a connection may stand still. Generous: `docker save` and a loaded machine may hold an upload up, too. */
const IDLE_MS = 180_000;

/** One registry, reached from this machine. Network failures come as Node's errors with their `code`. */
export class RegistryClient {
  readonly #base: URL;
  readonly #agent: http.Agent;

  /** `host` with a port, as in image references. */
  constructor(host: string, { secure = false }: { secure?: boolean } = {}) {
    this.#base = new URL(`${secure ? "https" : "http"}://${host}/`);
    const options = { keepAlive: true, maxSockets: 8 };
    this.#agent = secure ? new https.Agent(options) : new http.Agent(options);
  }

  /** Whether the API answers without credentials. */
  async ping(signal: AbortSignal): Promise<boolean> {
    const expect = [200, 301, 302, 400, 401, 403, 404];
    return (await this.#send({ method: "GET", path: "/v2/", expect, signal })).status === 200;
  }

  /** Bytes of a blob that the repository has, or undefined. */
  async blobSize(
    repository: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const path = `/v2/${repository}/blobs/${digest}`;
    const { status, headers } = await this.#send({
      method: "HEAD",
      path,
      expect: [200, 404],
      signal,
    });
    return status === 200 ? Number(headers["content-length"]) : undefined;
  }

  /** Makes a blob of one repository known in another one, without sending it. False: it has to be sent. */
  async mount(
    repository: string,
    digest: string,
    from: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const path = `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`;
    const answer = await this.#send({ method: "POST", path, expect: [201, 202], signal });
    if (answer.status === 202) {
      // The registry has opened an upload instead; left open it would stay on its disk.
      const location = this.#location(answer);
      await this.#send({ method: "DELETE", path: location, expect: [204, 404], signal });
    }
    return answer.status === 201;
  }

  /** Sends a blob as it comes, in one request. */
  async upload(repository: string, blob: Blob, signal: AbortSignal): Promise<void> {
    const start = `/v2/${repository}/blobs/uploads/`;
    const opened = await this.#send({ method: "POST", path: start, expect: [202], signal });
    const location = this.#location(opened);
    const path = `${location}${location.includes("?") ? "&" : "?"}digest=${blob.digest}`;
    await this.#send({
      method: "PUT",
      path,
      headers: { "content-type": "application/octet-stream", "content-length": blob.size },
      body: blob.chunks,
      expect: [201],
      signal,
    });
  }

  /** Digest of the manifest that a tag names, or undefined. */
  async manifestDigest(
    repository: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { status, headers } = await this.#send({
      method: "HEAD",
      path: `/v2/${repository}/manifests/${reference}`,
      headers: { accept: MANIFEST_TYPES },
      expect: [200, 404],
      signal,
    });
    return status === 200 ? String(headers["docker-content-digest"]) : undefined;
  }

  /** Publishes a manifest under a tag. */
  async putManifest(
    repository: string,
    reference: string,
    manifest: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#send({
      method: "PUT",
      path: `/v2/${repository}/manifests/${reference}`,
      headers: { "content-type": MANIFEST_TYPE, "content-length": manifest.length },
      body: once(manifest),
      expect: [201],
      signal,
    });
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  #location({ headers }: Answer): string {
    const { pathname, search } = new URL(headers.location ?? "", this.#base);
    return pathname + search;
  }

  async #send(request: Request): Promise<Answer> {
    const answer = await exchange(this.#base, this.#agent, request);
    if (request.expect.includes(answer.status)) return answer;
    const name = `${request.method} ${request.path.replace(/\?.*/s, "")}`;
    throw new RegistryError(name, answer.status, answer.body);
  }
}

function exchange(base: URL, agent: http.Agent, request: Request): Promise<Answer> {
  const { method, path, headers, signal } = request;
  return new Promise<Answer>((resolve, reject) => {
    const { hostname, port, protocol } = base;
    const send = protocol === "https:" ? https.request : http.request;
    const outgoing = send(
      {
        host: hostname.replace(/^\[|\]$/g, ""),
        port,
        method,
        path,
        headers: { ...headers },
        agent,
        signal,
      },
      (incoming) => {
        readText(incoming).then(
          (body) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }),
          reject,
        );
      },
    );
    outgoing.setTimeout(IDLE_MS, () =>
      outgoing.destroy(
        new Error(`no answer from ${base.host} in ${IDLE_MS / 1000} s: i/o timeout`),
      ),
    );
    outgoing.on("error", reject);
    // An early answer (an error, mostly) ends the sending; it is the answer that counts.
    if (request.body)
      writeBody(outgoing, request.body).catch((error: Error) => outgoing.destroy(error));
    else outgoing.end();
  });
}

async function writeBody(
  outgoing: http.ClientRequest,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed || outgoing.writableEnded) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(outgoing: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("close", done);
  });
}

async function readText(incoming: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
