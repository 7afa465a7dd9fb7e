import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DockerInfo } from "../../../src/images/docker.ts";
import { LayerSourceError } from "../../../src/images/layer-source.ts";
import { openLayerStore, parseTarSplit } from "../../../src/images/layer-store.ts";

const { signal } = new AbortController();
const hash = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

let root: string;
let info: DockerInfo;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tilt-ci-store-"));
  info = { major: 26, rootDirectory: root, storageDriver: "overlay2", containerdStore: false };
  for (const directory of ["overlay2", "image/overlay2/imagedb", "image/overlay2/layerdb"])
    await mkdir(join(root, directory), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, contents: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), contents);
}

/** A layer as Docker lays it out: its files apart from its headers. Gives the whole archive. */
async function storeLayer(
  chain: string,
  cacheId: string,
  files: Record<string, string>,
): Promise<Buffer> {
  const lines: object[] = [];
  const parts: Buffer[] = [];
  const segment = (text: string) => {
    lines.push({ type: 2, payload: Buffer.from(text).toString("base64"), position: lines.length });
    parts.push(Buffer.from(text));
  };
  for (const [name, contents] of Object.entries(files)) {
    segment(`<header of ${name}>`);
    lines.push({
      type: 1,
      name,
      size: contents.length,
      payload: "AAAAAAAAAAA=",
      position: lines.length,
    });
    parts.push(Buffer.from(contents));
    await put(`overlay2/${cacheId}/diff/${name}`, contents);
  }
  lines.push({ type: 1, name: "./dir/", payload: null, position: lines.length });
  segment("<end>");
  const entry = `image/overlay2/layerdb/sha256/${chain}`;
  await put(`${entry}/cache-id`, cacheId);
  await put(
    `${entry}/tar-split.json.gz`,
    gzipSync(lines.map((line) => JSON.stringify(line)).join("\n")),
  );
  return Buffer.concat(parts);
}

async function storeImage(diffIds: readonly string[]): Promise<string> {
  const config = JSON.stringify({ rootfs: { type: "layers", diff_ids: diffIds } });
  await put(`image/overlay2/imagedb/content/sha256/${hash(config)}`, config);
  return `sha256:${hash(config)}`;
}

async function fetchAll(imageId: string, wanted: readonly string[]): Promise<Map<string, Buffer>> {
  const store = await openLayerStore(info);
  const got = new Map<string, Buffer>();
  await store!.fetch(
    imageId,
    new Set(wanted),
    async ({ digest, size, chunks }) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      got.set(digest, Buffer.concat(parts));
      expect(got.get(digest)!.length).toBe(size);
    },
    signal,
  );
  return got;
}

describe("openLayerStore()", () => {
  test("puts layers together as they were, found by the chain of layers below", async () => {
    const lower = await storeLayer("1".repeat(64), "lower", {
      "a.txt": "A",
      "big/file": "x".repeat(3 << 20),
      empty: "",
    });
    const one = `sha256:${"1".repeat(64)}`;
    const two = `sha256:${"2".repeat(64)}`;
    const upper = await storeLayer(hash(`${one} ${two}`), "upper", { b: "B" });
    const id = await storeImage([one, two]);
    const got = await fetchAll(id, [id, two, one]);
    expect(got.get(one)!.equals(lower)).toBe(true);
    expect(got.get(two)!.equals(upper)).toBe(true);
    expect(`sha256:${hash(got.get(id)!)}`).toBe(id);
  });

  test("reads only what is wanted", async () => {
    const one = `sha256:${"1".repeat(64)}`;
    const id = await storeImage([one]); // the layer itself is not there
    expect([...(await fetchAll(id, [id])).keys()]).toEqual([id]);
  });

  test.each([
    ["a store of another kind", { storageDriver: "btrfs" }],
    ["a containerd store", { containerdStore: true }],
    ["a daemon elsewhere", { rootDirectory: "/no/such/directory" }],
    ["a daemon that does not say where", { rootDirectory: "" }],
  ])("is undefined for %s", async (_, over) => {
    expect(await openLayerStore({ ...info, ...over })).toBeUndefined();
  });

  test("rejects with LayerSourceError for an image or a layer that is not there", async () => {
    const one = `sha256:${"1".repeat(64)}`;
    await expect(fetchAll(one, [one])).rejects.toBeInstanceOf(LayerSourceError);
    await expect(fetchAll(await storeImage([one]), [one])).rejects.toBeInstanceOf(LayerSourceError);
  });

  test("rejects a configuration that is not what its name says", async () => {
    const id = await storeImage([]);
    await put(`image/overlay2/imagedb/content/sha256/${id.slice(7)}`, "{}");
    await expect(fetchAll(id, [id])).rejects.toThrow("damaged");
  });

  test("rejects with LayerSourceError for a file that has shrunk", async () => {
    const one = `sha256:${"1".repeat(64)}`;
    await storeLayer("1".repeat(64), "lower", { a: "full" });
    await put("overlay2/lower/diff/a", "f");
    await expect(fetchAll(await storeImage([one]), [one])).rejects.toThrow("shorter");
  });
});

test.each([
  ['{"type":1,"name":"../../etc/shadow","size":5}', "outside its layer"],
  ['{"type":3}', "unknown entry"],
  ['{"type":1,"name_raw":"/w==","size":5}', "unknown entry"],
])("parseTarSplit() rejects %s", async (line, message) => {
  await expect(parseTarSplit(Readable.from([Buffer.from(line)]), "/layer")).rejects.toThrow(
    message,
  );
});
