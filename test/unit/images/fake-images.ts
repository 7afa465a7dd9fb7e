import { tarContext } from "../../../src/images/context-tar.ts";
import type { LocalImage } from "../../../src/images/docker.ts";
import { type LayerSource, LayerSourceError } from "../../../src/images/layer-source.ts";
import { sha256 } from "./fake-registry.ts";

/** An image made of texts: each is a layer. */
export interface FakeImage extends LocalImage {
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export function fakeImage(...layers: string[]): FakeImage {
  const bodies = layers.map((text) => Buffer.from(text));
  const config = Buffer.from(JSON.stringify({ rootfs: { diff_ids: bodies.map(sha256) } }));
  const blobs = new Map([config, ...bodies].map((bytes) => [sha256(bytes), bytes]));
  return {
    id: sha256(config),
    repoTags: [],
    diffIds: bodies.map(sha256),
    size: bodies.reduce((total, { length }) => total + length, 0),
    blobs,
  };
}

/** A source of layers that counts what it was asked for; `broken` blobs come with the wrong bytes. */
export function fakeSource(
  images: readonly FakeImage[],
  { fails = false, broken = [] as readonly string[] } = {},
): LayerSource & { readonly asked: string[][] } {
  const asked: string[][] = [];
  return {
    asked,
    async fetch(imageId, wanted, sink) {
      asked.push([...wanted]);
      if (fails) throw new LayerSourceError("cannot read");
      const image = images.find(({ id }) => id === imageId);
      for (const digest of wanted) {
        const bytes = broken.includes(digest) ? Buffer.from("?") : image?.blobs.get(digest);
        if (!bytes) throw new LayerSourceError(`no ${digest}`);
        await sink({ digest, size: bytes.length, chunks: once(bytes) });
      }
    },
  };
}

/** What `docker save` writes for images: an OCI layout with the blobs sorted by digest. */
export async function* savedArchive(images: readonly FakeImage[]): AsyncGenerator<Uint8Array> {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  const files = [...blobs]
    .map(([digest, bytes]) => ({
      path: `blobs/sha256/${digest.slice(7)}`,
      contents: bytes.toString(),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const index = { manifests: images.map(({ id }) => ({ digest: id })) };
  yield* tarContext(nothing(), [
    ...files,
    { path: "index.json", contents: JSON.stringify(index) },
    { path: "oci-layout", contents: "{}" },
  ]);
}

async function* nothing(): AsyncGenerator<never> {}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
