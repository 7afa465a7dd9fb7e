import { existsSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** A way to the Docker engine that can be cut: the engine itself is for everybody. */
export interface EngineProxy extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Breaks all connections and takes no new ones. */
  cut(): Promise<void>;
  /** From now on nothing gets through, and nobody is told. */
  freeze(): void;
  /** Undoes both, for new connections. */
  restore(): Promise<void>;
}

const ENGINE = "/var/run/docker.sock";

/** Starts one on a socket in a directory. */
export async function startEngineProxy(directory: string): Promise<EngineProxy> {
  const path = join(directory, "docker.sock");
  const pairs = new Set<readonly [Socket, Socket | undefined]>();
  let isFrozen = false;
  let server: Server | undefined;
  const accept = (client: Socket) => {
    client.on("error", () => {});
    if (isFrozen) {
      pairs.add([client, undefined]);
      return;
    }
    const engine = connect({ path: ENGINE, allowHalfOpen: true });
    engine.on("error", () => client.destroy());
    client.pipe(engine).pipe(client);
    const pair = [client, engine] as const;
    pairs.add(pair);
    for (const socket of pair)
      socket.on("close", () => {
        if (isFrozen) return;
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
  };
  const listen = async () => {
    if (existsSync(path)) rmSync(path);
    server = createServer({ allowHalfOpen: true }, accept);
    await new Promise<void>((done) => server!.listen(path, done));
  };
  const breakAll = () => {
    for (const pair of pairs) for (const socket of pair) socket?.destroy();
    pairs.clear();
  };
  const cut = async () => {
    const closing = server && new Promise((done) => server!.close(done));
    server = undefined;
    breakAll();
    await closing;
  };
  await listen();
  return {
    host: `unix://${path}`,
    cut,
    freeze() {
      isFrozen = true;
      for (const [client, engine] of pairs) {
        client.unpipe();
        engine?.unpipe();
        client.pause();
        engine?.pause();
      }
    },
    async restore() {
      isFrozen = false;
      breakAll();
      if (server === undefined) await listen();
    },
    [Symbol.asyncDispose]: cut,
  };
}
