import type { Docker } from "./docker.ts";
import { type BlobSink, type LayerSource, LayerSourceError } from "./layer-source.ts";
import { readTar } from "./tar-reader.ts";

interface Request {
  readonly imageId: string;
  readonly wanted: Set<string>;
  readonly sink: BlobSink;
  readonly signal: AbortSignal;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;

/**
 * Layers out of `docker save`, which since Docker 25 writes an OCI layout with the layers uncompressed, each layer of
 * all the images asked for once. One command runs at a time; requests that come meanwhile share the next one.
 */
export function createSaveQueue(docker: Docker): LayerSource {
  const waiting: Request[] = [];
  let running = false;

  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) await saveBatch(docker, waiting.splice(0));
    running = false;
  };

  return {
    fetch: (imageId, wanted, sink, signal) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ imageId, wanted: new Set(wanted), sink, signal, resolve, reject });
        if (!running) void drain();
      }),
  };
}

/** Serves a batch of requests from one archive. Never rejects: each request has its own answer. */
async function saveBatch(docker: Docker, batch: readonly Request[]): Promise<void> {
  const open = new Set(batch);
  const settle = (request: Request, error?: unknown) => {
    open.delete(request);
    if (error === undefined) request.resolve();
    else request.reject(error);
  };
  for (const request of batch) {
    if (request.signal.aborted) settle(request, request.signal.reason);
    else if (request.wanted.size === 0) settle(request);
  }
  if (open.size === 0) return;
  const ids = [...new Set([...open].map(({ imageId }) => imageId))];
  // One signal ends the run; the requests of a run share it.
  const archive = docker.save(ids, batch[0]!.signal);
  try {
    for await (const { name, size, body } of readTar(archive)) {
      const digest = `sha256:${BLOB.exec(name)?.[1]}`;
      const request = [...open].find(({ wanted }) => wanted.has(digest));
      if (!request) continue;
      await request.sink({ digest, size, chunks: body }).then(
        () => request.wanted.delete(digest) && request.wanted.size === 0 && settle(request),
        (error: unknown) => settle(request, error),
      );
      if (open.size === 0) return; // the rest of the archive is of no interest
    }
  } catch (error) {
    for (const request of [...open]) settle(request, error);
  }
  for (const request of [...open]) {
    settle(request, new LayerSourceError(`docker save gave no blob ${[...request.wanted][0]}`));
  }
}
