/**
 * Layers read where Docker keeps them. `docker save` writes every layer of an image to a temporary file and then sends
 * all of them, however few are wanted: 2 s and 2 CPU seconds for a 230 MB base, each time. Docker's overlay2 store
 * holds what it takes to do without: a layer's files, and in `tar-split.json.gz` the archive's headers and padding as
 * they were (github.com/vbatts/tar-split). The store belongs to root, so this is for runs as root beside the daemon;
 * the registry checks each digest, and whatever is not as expected here is left to `docker save`.
 */

import { createHash } from "node:crypto";
import { closeSync, constants, createReadStream, openSync, readSync } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { forEachLine } from "../host/lines.ts";
import type { DockerInfo } from "./docker.ts";
import { type BlobSink, type LayerSource, LayerSourceError } from "./layer-source.ts";

/** Small enough that reading it does not hold up the event loop for long (files come from the page cache). */
const CHUNK = 1 << 18;

/** The layer store of a daemon, or undefined where it cannot be read or is of another kind. */
export async function openLayerStore(info: DockerInfo): Promise<LayerSource | undefined> {
  const { containerdStore, storageDriver, rootDirectory } = info;
  if (containerdStore || storageDriver !== "overlay2" || rootDirectory === "") return undefined;
  const images = join(rootDirectory, "image", storageDriver);
  try {
    for (const directory of [
      join(images, "imagedb"),
      join(images, "layerdb"),
      join(rootDirectory, storageDriver),
    ])
      await access(directory, constants.R_OK | constants.X_OK);
  } catch {
    return undefined; // not root, another machine, Docker Desktop: no fault, `docker save` it is
  }
  return {
    fetch: (...request) => fetchBlobs(images, join(rootDirectory, storageDriver), ...request),
  };
}

async function fetchBlobs(
  images: string,
  overlay: string,
  imageId: string,
  wanted: ReadonlySet<string>,
  sink: BlobSink,
  signal: AbortSignal,
): Promise<void> {
  const config = await readConfig(images, imageId);
  if (wanted.has(imageId)) {
    await sink({ digest: imageId, size: config.length, chunks: oneChunk(config) });
  }
  const layers = layersOf(config).filter(({ diffId }) => wanted.has(diffId));
  const left = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  for (const { diffId, chainId } of left) {
    signal.throwIfAborted();
    const layer = await openLayer(images, overlay, chainId);
    await sink({ digest: diffId, size: layer.size, chunks: layer.chunks() });
  }
}

async function readConfig(images: string, imageId: string): Promise<Buffer> {
  const hex = imageId.replace(/^sha256:/, "");
  const path = join(images, "imagedb", "content", "sha256", hex);
  const config = await readFile(path).catch((error: unknown) => {
    throw new LayerSourceError(`no configuration of ${imageId} in Docker's store`, error);
  });
  if (sha256(config) !== hex)
    throw new LayerSourceError(`the configuration of ${imageId} is damaged`);
  return config;
}

interface StoredLayer {
  readonly diffId: string;
  /** Digest over the layer and all below it: the store's key. */
  readonly chainId: string;
}

/** Chain ids as the OCI image specification defines them. */
function layersOf(config: Buffer): StoredLayer[] {
  const { rootfs } = JSON.parse(config.toString("utf8")) as { rootfs?: { diff_ids?: string[] } };
  let chainId = "";
  return (rootfs?.diff_ids ?? []).map((diffId) => {
    chainId = chainId === "" ? diffId : `sha256:${sha256(`${chainId} ${diffId}`)}`;
    return { diffId, chainId };
  });
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A piece of the archive: bytes kept aside, or a file of the layer. */
type Piece = Buffer | { readonly path: string; readonly size: number };

interface OpenLayer {
  /** Bytes of the whole archive. */
  readonly size: number;
  chunks(): AsyncGenerator<Uint8Array>;
}

async function openLayer(images: string, overlay: string, chainId: string): Promise<OpenLayer> {
  const entry = join(images, "layerdb", "sha256", chainId.replace(/^sha256:/, ""));
  try {
    const cacheId = (await readFile(join(entry, "cache-id"), "utf8")).trim();
    const split = createReadStream(join(entry, "tar-split.json.gz"));
    const pieces = await parseTarSplit(gunzipped(split), join(overlay, cacheId, "diff"));
    const size = pieces.reduce(
      (total, piece) => total + (Buffer.isBuffer(piece) ? piece.length : piece.size),
      0,
    );
    return { size, chunks: () => assemble(pieces) };
  } catch (error) {
    throw new LayerSourceError(`cannot read layer ${chainId} in Docker's store`, error);
  }
}

/** tar-split's types of lines. */
const FILE = 1;
const SEGMENT = 2;

interface TarSplitLine {
  readonly type: number;
  readonly name?: string;
  /** Base64, where the name is no UTF-8. */
  readonly name_raw?: string;
  readonly size?: number;
  /** Base64: bytes of a segment, a checksum of a file. */
  readonly payload?: string | null;
}

/**
 * The pieces of a layer's archive in order, by its `tar-split.json`. Rejects for a line of an unknown type. A large
 * layer has tens of thousands of lines: they are taken as they come, and segments that meet become one.
 */
export async function parseTarSplit(
  stream: AsyncIterable<Uint8Array>,
  directory: string,
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  let segments: Buffer[] = [];
  const closeSegment = () => {
    if (segments.length > 0) pieces.push(Buffer.concat(segments));
    segments = [];
  };
  await forEachLine(stream, (json) => {
    if (json === "") return;
    const { type, name, name_raw, size = 0, payload } = JSON.parse(json) as TarSplitLine;
    if (type === SEGMENT) {
      segments.push(Buffer.from(payload ?? "", "base64"));
    } else if (type !== FILE || name_raw !== undefined) {
      throw new Error(`unknown entry of type ${type}`);
    } else if (size > 0) {
      closeSegment();
      pieces.push({ path: insideOf(directory, name ?? ""), size });
    }
  });
  closeSegment();
  return pieces;
}

/** A compressed stream's contents, in pieces large enough to be worth a turn of the event loop. */
function gunzipped(stream: Readable): AsyncIterable<Buffer> {
  const contents = createGunzip({ chunkSize: 1 << 17 });
  stream.on("error", (error) => contents.destroy(error)).pipe(contents);
  return contents;
}

function insideOf(directory: string, name: string): string {
  const path = join(directory, name);
  if (relative(directory, path).startsWith("..")) throw new Error(`"${name}" is outside its layer`);
  return path;
}

/** The archive in chunks of equal size. A fresh buffer each: the socket may still hold the one before. */
async function* assemble(pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(CHUNK);
  let filled = 0;
  const flush = () => {
    const full = buffer.subarray(0, filled);
    buffer = Buffer.allocUnsafe(CHUNK);
    filled = 0;
    return full;
  };
  for (const piece of pieces) {
    const source = Buffer.isBuffer(piece) ? bytesSource(piece) : fileSource(piece.path, piece.size);
    try {
      for (
        let count = source.read(buffer, filled);
        count > 0;
        count = source.read(buffer, filled)
      ) {
        filled += count;
        if (filled === CHUNK) yield flush();
      }
    } finally {
      source.close();
    }
  }
  if (filled > 0) yield flush();
}

interface ByteSource {
  /** Puts the next bytes into a buffer at an offset, as many as fit; 0 when there are no more. */
  read(buffer: Buffer, offset: number): number;
  close(): void;
}

function bytesSource(bytes: Buffer): ByteSource {
  let at = 0;
  return {
    read(buffer, offset) {
      const count = bytes.copy(buffer, offset, at);
      at += count;
      return count;
    },
    close() {},
  };
}

/**
 * Synchronous on purpose: a layer has thousands of small files, and three trips to the thread pool for each cost
 * several times the CPU that reading them does.
 */
function fileSource(path: string, size: number): ByteSource {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  let left = size;
  return {
    read(buffer, offset) {
      if (left === 0) return 0;
      const count = readSync(file, buffer, offset, Math.min(left, buffer.length - offset), null);
      if (count === 0) throw new LayerSourceError(`"${path}" is shorter than its layer says`);
      left -= count;
      return count;
    },
    close: () => closeSync(file),
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
