/** Docker's images through the API of an engine on this machine (docs.docker.com/reference/api/engine, v1.24 on). */

import http from "node:http";
import { DockerError, type ImageStore, NO_VERSION } from "./docker.ts";
import { dockerInfo, type InfoOutput, type InspectedImage, localImage } from "./docker-answers.ts";

/** An engine's images, or undefined if it does not answer: the command line says better why. */
export async function openEngine(
  socketPath: string,
  signal: AbortSignal,
): Promise<ImageStore | undefined> {
  const engine = new Engine(socketPath);
  const answer = await engine.request("GET", "/_ping", signal).catch(() => undefined);
  return answer?.status === 200 ? engineStore(engine) : undefined;
}

function engineStore(engine: Engine): ImageStore {
  return {
    async info(signal) {
      const info = dockerInfo(
        JSON.parse(await engine.expect("GET", "/info", signal)) as InfoOutput,
      );
      if (!info) throw new DockerError("GET /info", NO_VERSION);
      return info;
    },
    async inspect(refs, signal) {
      const found = await Promise.all(
        refs.map(async (ref) => {
          const { status, body } = await engine.request("GET", `${imagePath(ref)}/json`, signal);
          if (status === 404 || status === 400) return [];
          if (status !== 200) throw new DockerError(`GET ${imagePath(ref)}/json`, messageIn(body));
          return [[ref, localImage(JSON.parse(body) as InspectedImage)] as const];
        }),
      );
      return new Map(found.flat());
    },
    async tag(id, ref, signal) {
      const colon = ref.lastIndexOf(":");
      const tagged = colon > ref.lastIndexOf("/");
      const query = new URLSearchParams({
        repo: tagged ? ref.slice(0, colon) : ref,
        tag: tagged ? ref.slice(colon + 1) : "latest",
      });
      await engine.expect("POST", `${imagePath(id)}/tag?${query}`, signal);
    },
    async untag(refs, signal) {
      for (const ref of refs) await engine.expect("DELETE", `${imagePath(ref)}?noprune=1`, signal);
    },
    async names(signal) {
      const images = JSON.parse(await engine.expect("GET", "/images/json", signal)) as {
        RepoTags?: string[] | null;
      }[];
      return images
        .flatMap(({ RepoTags }) => RepoTags ?? [])
        .filter((tag) => !tag.includes("<none>"));
    },
    save: (refs, signal) =>
      engine.stream(
        `/images/get?${new URLSearchParams(refs.map((ref): [string, string] => ["names", ref]))}`,
        signal,
      ),
  };
}

/** Slashes and colons stay: the engine takes the rest of the path for the name. */
function imagePath(ref: string): string {
  return `/images/${ref.split("/").map(encodeURIComponent).join("/").replaceAll("%3A", ":")}`;
}

function messageIn(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

class Engine {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async request(method: string, path: string, signal: AbortSignal): Promise<Answer> {
    const incoming = await this.#open(method, path, signal);
    return { status: incoming.statusCode ?? 0, body: await readText(incoming) };
  }

  /** The body of a good answer; throws `DockerError` for others. */
  async expect(method: string, path: string, signal: AbortSignal): Promise<string> {
    const { status, body } = await this.request(method, path, signal);
    if (status < 200 || status > 299) throw new DockerError(`${method} ${path}`, messageIn(body));
    return body;
  }

  /** The bytes of a good answer; an early end of the iteration ends the request. */
  async *stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const incoming = await this.#open("GET", path, signal);
    if (incoming.statusCode !== 200) {
      throw new DockerError(`GET ${path}`, messageIn(await readText(incoming)));
    }
    yield* incoming as AsyncIterable<Buffer>;
  }

  #open(method: string, path: string, signal: AbortSignal): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      http
        .request({ socketPath: this.#socketPath, method, path, signal, agent: false }, resolve)
        .on("error", reject)
        .end();
    });
  }
}

async function readText(incoming: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
