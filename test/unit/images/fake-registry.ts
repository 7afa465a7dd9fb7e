import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the registry has seen. */
export interface Seen {
  readonly method: string;
  /** Without the query's session parts: `PUT blob a/b sha256:…` is easier to read than a URL. */
  readonly url: string;
}

/** An in-process registry: the distribution API as far as sending images goes, with ways to misbehave. */
export interface FakeRegistry extends AsyncDisposable {
  readonly host: string;
  readonly seen: Seen[];
  /** Bytes by digest. */
  readonly blobs: Map<string, Buffer>;
  /** `repository@digest` of blobs that a repository knows. */
  readonly links: Set<string>;
  /** Manifests by `repository:tag`. */
  readonly manifests: Map<string, Buffer>;
  /** Answers instead of the registry: a status, or nothing to let it do its work. */
  intercept?: ((method: string, url: string) => number | "hang up" | undefined) | undefined;
  /** Mounting is refused: the registry opens an upload instead. */
  refuseMounts: boolean;
  /** Digests of the blobs that were sent, in order. */
  readonly uploads: () => readonly string[];
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const uploaded: string[] = [];
  const state = {
    seen: [] as Seen[],
    blobs: new Map<string, Buffer>(),
    links: new Set<string>(),
    manifests: new Map<string, Buffer>(),
    refuseMounts: false,
    intercept: undefined as FakeRegistry["intercept"],
  };
  const server = createServer((request, response) => {
    serve(request, response, state, uploaded).catch((error: Error) => {
      response.destroy(error);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    host: `127.0.0.1:${port}`,
    uploads: () => uploaded,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  }) as FakeRegistry;
}

type State = Pick<
  FakeRegistry,
  "seen" | "blobs" | "links" | "manifests" | "refuseMounts" | "intercept"
>;

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  state: State,
  uploaded: string[],
): Promise<void> {
  const { method = "", url = "" } = request;
  state.seen.push({ method, url });
  const forced = state.intercept?.(method, url);
  if (forced === "hang up") {
    request.socket.destroy();
    return;
  }
  if (forced !== undefined) {
    request.resume();
    answer(
      response,
      forced,
      {},
      JSON.stringify({ errors: [{ code: "FORCED", message: "by the test" }] }),
    );
    return;
  }
  const { pathname, searchParams } = new URL(url, "http://registry");
  const blob = /^\/v2\/(.+)\/blobs\/(sha256:\w+)$/.exec(pathname);
  const upload = /^\/v2\/(.+)\/blobs\/uploads\/(\w*)$/.exec(pathname);
  const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(pathname);
  const body = await read(request);
  if (pathname === "/v2/") answer(response, 200);
  else if (blob) headBlob(response, state, blob[1]!, blob[2]!);
  else if (upload && method === "POST") openUpload(response, state, upload[1]!, searchParams);
  else if (upload && method === "PUT")
    closeUpload(response, state, upload[1]!, searchParams, body, uploaded);
  else if (upload && method === "DELETE") answer(response, 204);
  else if (manifest && method === "PUT")
    putManifest(response, state, manifest[1]!, manifest[2]!, body);
  else if (manifest) headManifest(response, state, manifest[1]!, manifest[2]!);
  else answer(response, 404);
}

function headBlob(
  response: ServerResponse,
  { blobs, links }: State,
  repository: string,
  digest: string,
) {
  const known = links.has(`${repository}@${digest}`);
  if (known) answer(response, 200, { "content-length": String(blobs.get(digest)?.length ?? 0) });
  else answer(response, 404);
}

function openUpload(
  response: ServerResponse,
  state: State,
  repository: string,
  query: URLSearchParams,
) {
  const digest = query.get("mount");
  const from = query.get("from");
  if (digest && !state.refuseMounts && state.links.has(`${from}@${digest}`)) {
    state.links.add(`${repository}@${digest}`);
    answer(response, 201, { location: `/v2/${repository}/blobs/${digest}` });
    return;
  }
  answer(response, 202, { location: `/v2/${repository}/blobs/uploads/abc?_state=xyz` });
}

function closeUpload(
  response: ServerResponse,
  { blobs, links }: State,
  repository: string,
  query: URLSearchParams,
  body: Buffer,
  uploaded: string[],
) {
  const digest = query.get("digest") ?? "";
  if (query.get("_state") !== "xyz" || sha256(body) !== digest) {
    const text = JSON.stringify({
      errors: [{ code: "DIGEST_INVALID", message: "provided digest did not match" }],
    });
    answer(response, 400, {}, text);
    return;
  }
  uploaded.push(digest);
  blobs.set(digest, body);
  links.add(`${repository}@${digest}`);
  answer(response, 201);
}

function putManifest(
  response: ServerResponse,
  state: State,
  repository: string,
  tag: string,
  body: Buffer,
) {
  const { config, layers } = JSON.parse(body.toString()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  const missing = [config, ...layers].find(
    ({ digest }) => !state.links.has(`${repository}@${digest}`),
  );
  if (missing) {
    const text = JSON.stringify({
      errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: missing.digest }],
    });
    answer(response, 404, {}, text);
    return;
  }
  state.manifests.set(`${repository}:${tag}`, body);
  answer(response, 201, { "docker-content-digest": sha256(body) });
}

function headManifest(
  response: ServerResponse,
  { manifests }: State,
  repository: string,
  tag: string,
) {
  const manifest = manifests.get(`${repository}:${tag}`);
  if (manifest) answer(response, 200, { "docker-content-digest": sha256(manifest) });
  else answer(response, 404);
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body = "",
) {
  response.writeHead(status, headers).end(body);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
