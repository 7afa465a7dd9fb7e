import { createServer, type Server, type Socket } from "node:net";
import { PassThrough, Writable } from "node:stream";
import type { PortForward as PodTunnel } from "@kubernetes/client-node";
import { messageOf, PhaseFailure } from "../../errors.ts";
import type { PortForward } from "../../model/plan.ts";
import type { Pod } from "../api/api-object.ts";
import type { KubernetesConnection } from "../connection.ts";

/** Open listeners that lead to a resource's pods. */
export interface OpenPortForwards {
  /**
   * Resolves once all ports are listened on and a pod runs behind them; rejects with PhaseFailure (`PortTaken`) when a
   * port cannot be had.
   */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Where the pods come from: a Watcher. */
export interface PodSource {
  pods(resource: string): readonly Pod[];
  onPods(listener: (resource: string) => void): () => void;
}

export interface PortForwardOptions {
  /** For forwards that name none, e.g. `localhost`. */
  readonly defaultHost: string;
  readonly onLine: (line: string) => void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** A client is held this long while no pod can be reached: one may be on its way. */
const PATIENCE_MS = 30_000;
const HIGH_WATER_BYTES = 1024 * 1024;

type Tunnel = Awaited<ReturnType<PodTunnel["portForward"]>>;
interface Channel {
  readonly bufferedAmount: number;
  pause(): void;
  resume(): void;
  close(): void;
  on(event: "close" | "error", listener: () => void): void;
}

/** Listens on the ports of a resource and leads each connection to its newest running pod at that time. */
export function openPortForwards(
  connection: KubernetesConnection,
  source: PodSource,
  resource: string,
  forwards: readonly PortForward[],
  options: PortForwardOptions,
): OpenPortForwards {
  const cancel = new AbortController();
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const accept = (forward: PortForward) => (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    void relay(connection, source, resource, forward, socket, options);
  };
  const open = async () => {
    for (const forward of forwards)
      servers.push(...(await listen(forward, resource, options, accept(forward))));
    await untilRunning(source, resource, cancel.signal);
  };
  const ready = open();
  // Whoever does not wait for it is not to crash on a port that is taken.
  ready.catch(() => {});
  return {
    ready,
    async close() {
      cancel.abort();
      // What is about to listen must have begun before it can be ended.
      await ready.catch(() => {});
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(
  forward: PortForward,
  resource: string,
  { defaultHost }: PortForwardOptions,
  accept: (socket: Socket) => void,
): Promise<Server[]> {
  const host = forward.host || defaultHost;
  // Browsers and tools differ in which of the two they try for "localhost".
  const addresses = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  const servers: Server[] = [];
  for (const [index, address] of addresses.entries()) {
    try {
      servers.push(await listenOn(address, forward.localPort, accept));
    } catch (error) {
      if (index > 0) continue;
      throw portFailure(address, forward.localPort, resource, error as NodeJS.ErrnoException);
    }
  }
  return servers;
}

function listenOn(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

function portFailure(
  host: string,
  port: number,
  resource: string,
  error: NodeJS.ErrnoException,
): PhaseFailure {
  const taken = error.code === "EADDRINUSE";
  return new PhaseFailure({
    code: "PortTaken",
    message: taken
      ? `Port ${port} on ${host} is taken: the port-forward of "${resource}" needs it`
      : `Cannot listen on port ${port} of ${host} for the port-forward of "${resource}": ${error.message}`,
    object: `${host}:${port}`,
    ...(taken
      ? { hint: "End the program that has it, or choose another port in port_forward()" }
      : {}),
  });
}

function untilRunning(source: PodSource, resource: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (newestRunning(source, resource) === undefined && !signal.aborted) return;
      stop();
      resolve();
    };
    const stop = source.onPods((name) => {
      if (name === resource) check();
    });
    signal.addEventListener("abort", check, { once: true });
    // After `stop` exists.
    setImmediate(check);
  });
}

function newestRunning(source: PodSource, resource: string): Pod | undefined {
  return source
    .pods(resource)
    .findLast(
      ({ status, metadata }) =>
        status?.phase === "Running" && metadata.deletionTimestamp === undefined,
    );
}

/** The port of a pod that a forward means: 0 is the same one if the pod declares it, else its first. */
export function targetPort({ localPort, containerPort }: PortForward, pod: Pod): number {
  if (containerPort !== 0) return containerPort;
  const ports = (pod.spec?.containers ?? []).flatMap(({ ports: declared = [] }) =>
    declared.map((port) => port.containerPort),
  );
  return ports.includes(localPort) ? localPort : (ports[0] ?? localPort);
}

async function relay(
  connection: KubernetesConnection,
  source: PodSource,
  resource: string,
  forward: PortForward,
  socket: Socket,
  { onLine }: PortForwardOptions,
): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let pauseMs = FIRST_PAUSE_MS;
  let said = "";
  while (!socket.destroyed) {
    const pod = newestRunning(source, resource);
    try {
      if (pod === undefined) throw new Error(`no pod of "${resource}" is running`);
      return await tunnel(connection, pod, targetPort(forward, pod), socket, onLine);
    } catch (error) {
      const text = `Reconnecting… Error port-forwarding ${resource} (${forward.localPort} -> ${forward.containerPort || "pod"}): ${messageOf(error)}`;
      if (text !== said) onLine(text);
      said = text;
      if (performance.now() > giveUpAt) socket.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Joins a connection to a port of a pod. Throws when the way to the pod cannot be opened. */
async function tunnel(
  { access }: KubernetesConnection,
  pod: Pod,
  port: number,
  socket: Socket,
  onLine: (line: string) => void,
): Promise<void> {
  const { PortForward: Forwarder } = await import("@kubernetes/client-node");
  const { namespace = "default", name } = pod.metadata;
  let channel: Channel | undefined;
  const output = new Writable({
    // client-node does not wait for what it writes to: the channel is stopped instead.
    write(chunk: Buffer, _encoding, done) {
      if (!socket.write(chunk)) {
        channel?.pause();
        socket.once("drain", () => channel?.resume());
      }
      done();
    },
  });
  const errors = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const text = chunk.toString("utf8").trim();
      // Each channel begins with the port's number, of which client-node leaves an empty chunk.
      if (text !== "") {
        onLine(`Error port-forwarding to pod ${name}, port ${port}: ${text}`);
        socket.destroy();
      }
      done();
    },
  });
  const input = new PassThrough();
  const opened: Tunnel = await new Forwarder(access.kubeConfig, false).portForward(
    namespace,
    name,
    [port],
    output,
    errors,
    input,
  );
  channel = (typeof opened === "function" ? opened() : opened) as unknown as Channel;
  channel.on("close", () => socket.end());
  channel.on("error", () => socket.destroy());
  socket.on("close", () => channel?.close());
  // A client that has sent all still wants the answer: the channel knows no half-close, so the input is left open.
  socket.on("data", (chunk) => {
    input.write(chunk);
    if ((channel?.bufferedAmount ?? 0) > HIGH_WATER_BYTES) holdBack(socket, channel!);
  });
  if (socket.destroyed) channel.close();
}

function holdBack(socket: Socket, channel: Channel): void {
  socket.pause();
  const timer = setInterval(() => {
    if (channel.bufferedAmount > HIGH_WATER_BYTES / 2 && !socket.destroyed) return;
    clearInterval(timer);
    socket.resume();
  }, 5);
}
