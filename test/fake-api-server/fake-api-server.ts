/**
 * An API server for tests: lists, watches, server-side apply, deletion and logs of any kind, over plain HTTP. It has no
 * controllers: tests write what those would. And it can be told to misbehave.
 */
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import {
  answer,
  parsePath,
  type Refusal,
  type SeenRequest,
  sendKinds,
  sendRefusal,
  type Target,
} from "./answers.ts";
import { ContainerLogs } from "./container-logs.ts";
import {
  type Change,
  collectionOf,
  merge,
  ObjectTable,
  type StoredObject,
  type TestObject,
} from "./object-table.ts";

interface Watch {
  readonly response: ServerResponse;
  readonly target: Target;
  readonly query: URLSearchParams;
}

export class FakeApiServer {
  readonly table = new ObjectTable();
  readonly logs = new ContainerLogs();
  readonly requests: SeenRequest[] = [];
  /** Decides about each request before anything else does; undefined lets it pass. */
  refuse: (request: SeenRequest) => Refusal | undefined = () => undefined;
  /** Requests whose connection breaks before they are answered. */
  reset: (request: SeenRequest) => boolean = () => false;
  /** Names of workloads that the played controllers never bring to readiness. */
  readonly stayUnready = new Set<string>();
  /** What the server makes of an object before it stores it. */
  admit: (object: TestObject) => TestObject = (object) => object;
  /** Milliseconds that every answer takes longer. */
  delayMs = 0;
  /** Watches stay open but get nothing any more: a connection of which only one end knows that it is dead. */
  frozen = false;
  /** Requests are taken and never answered. */
  hanging = false;
  /** Connections that were ever opened. */
  connectionCount = 0;
  readonly #watches = new Set<Watch>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  /** Starts a server on a free port of the loopback. */
  static async start(): Promise<FakeApiServer> {
    const server = new FakeApiServer();
    server.table.onChange((change, collection) => server.#publish(change, collection));
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, again on the same port after down(). */
  async up(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on("connection", (socket) => {
      this.connectionCount += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Stops as a killed process does: all connections break. */
  async down(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#watches.clear();
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** A kubeconfig for it in a directory. */
  writeKubeconfig(directory: string): string {
    const path = join(directory, "kubeconfig");
    const cluster = { server: this.url };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "fake",
      clusters: [{ name: "fake", cluster }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
      users: [{ name: "fake", user: {} }],
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  put(object: TestObject): StoredObject {
    return this.table.put(collectionOf(object), object);
  }

  /** Merges a change into an object that is there. */
  patch(object: TestObject, change: Record<string, unknown>): StoredObject {
    const { name, namespace } = object.metadata;
    const before = this.table.get(collectionOf(object), namespace, name);
    if (before === undefined) throw new Error(`no ${object.kind} ${name}`);
    return this.table.put(collectionOf(object), merge(before, change) as TestObject);
  }

  remove(object: TestObject): void {
    this.table.remove(collectionOf(object), object.metadata.namespace, object.metadata.name);
  }

  get(object: TestObject): StoredObject | undefined {
    return this.table.get(collectionOf(object), object.metadata.namespace, object.metadata.name);
  }

  /** Ends all watches as a server does that has had enough of them. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
    this.#watches.clear();
  }

  /** Breaks all watches in the middle. */
  breakWatches(): void {
    for (const { response } of this.#watches) response.destroy();
    this.#watches.clear();
  }

  /** The open watches get nothing any more, and their clients no sign of it; new ones are good. */
  abandonWatches(): void {
    this.#watches.clear();
  }

  /** How many watches are open. */
  get watchCount(): number {
    return this.#watches.size;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const seen: SeenRequest = {
      method: request.method ?? "GET",
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: text === "" ? undefined : JSON.parse(text),
    };
    this.requests.push(seen);
    const { clockOffsetMs } = this.table;
    response.setHeader("date", new Date(Date.now() + clockOffsetMs).toUTCString());
    if (this.hanging) return;
    if (this.reset(seen)) {
      request.socket.destroy();
      return;
    }
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const target = parsePath(seen.path);
    const refusal = this.refuse(seen);
    if (refusal !== undefined) sendRefusal(response, refusal);
    else if (seen.path === "/readyz") response.end("ok");
    else if (target === undefined) sendKinds(this.table, seen.path, response);
    else if (target.subresource === "log") {
      const key = `${target.namespace}/${target.name}/${url.searchParams.get("container")}`;
      this.logs.serve(key, url.searchParams, response);
    } else if (seen.query.watch === "true") this.#watch(target, url.searchParams, response);
    else answer(this.table, seen, target, this.admit, response);
  }

  #watch(target: Target, query: URLSearchParams, response: ServerResponse): void {
    const missed = this.table.since(Number(query.get("resourceVersion")));
    response.writeHead(200, { "content-type": "application/json" });
    if (missed === undefined) {
      const object = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    response.flushHeaders();
    const watch = { response, target, query };
    this.#watches.add(watch);
    for (const { change, collection } of missed) this.#send(watch, change, collection);
    const timer = setTimeout(
      () => {
        this.#watches.delete(watch);
        if (!this.frozen) response.end();
      },
      Number(query.get("timeoutSeconds") ?? 60) * 1000,
    ).unref();
    response.on("close", () => {
      clearTimeout(timer);
      this.#watches.delete(watch);
    });
  }

  #publish(change: Change, collection: string): void {
    if (this.frozen) return;
    for (const watch of this.#watches) this.#send(watch, change, collection);
  }

  #send({ response, target, query }: Watch, { type, object }: Change, collection: string): void {
    const { name, namespace } = object.metadata;
    if (collection !== target.collection) return;
    if (target.namespace !== undefined && namespace !== target.namespace) return;
    const selected = query.get("fieldSelector");
    if (selected !== null && selected !== `metadata.name=${name}`) return;
    response.write(`${JSON.stringify({ type, object })}\n`);
  }
}
