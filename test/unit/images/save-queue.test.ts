import { expect, test } from "vitest";
import { createDocker } from "../../../src/images/create-docker.ts";
import { createSaveQueue } from "../../../src/images/save-queue.ts";
import { dockerCommand, FAKE_ENV, fakeHost } from "./fake-host.ts";
import { type FakeImage, fakeImage, savedArchive } from "./fake-images.ts";

const { signal } = new AbortController();
const api = fakeImage("base", "api");
const web = fakeImage("base", "web");
const images = [api, web];

function queueOf(archive: (ids: readonly string[]) => AsyncGenerator<Uint8Array> = archiveOf) {
  const host = fakeHost(dockerCommand(/^save /, (args) => ({ bytes: archive(args.slice(1)) })));
  return { host, queue: createSaveQueue(createDocker(host, FAKE_ENV)) };
}

function archiveOf(ids: readonly string[]) {
  return savedArchive(ids.map((id) => images.find((image) => image.id === id) as FakeImage));
}

async function collect(
  into: Map<string, string>,
  { digest, chunks }: { digest: string; chunks: AsyncIterable<Uint8Array> },
) {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  into.set(digest, Buffer.concat(parts).toString());
}

test("fetch() hands over the wanted blobs only", async () => {
  const { queue } = queueOf();
  const got = new Map<string, string>();
  await queue.fetch(api.id, new Set([api.diffIds[1]!]), (blob) => collect(got, blob), signal);
  expect([...got]).toEqual([[api.diffIds[1], "api"]]);
});

test("fetch() runs nothing when nothing is wanted", async () => {
  const { queue, host } = queueOf();
  await queue.fetch(api.id, new Set(), async () => {}, signal);
  expect(host.calls).toEqual([]);
});

test("fetch() shares one docker save among requests that came while another ran", async () => {
  const { queue, host } = queueOf();
  const got = new Map<string, string>();
  const want = (image: FakeImage, digests: readonly string[]) =>
    queue.fetch(image.id, new Set(digests), (blob) => collect(got, blob), signal);
  await Promise.all([
    want(api, [api.id]),
    want(web, [web.id]),
    want(api, api.diffIds),
    want(web, [web.diffIds[1]!]),
  ]);
  expect(host.calls.map(({ argv }) => argv.slice(1))).toEqual([
    ["save", api.id],
    ["save", web.id, api.id],
  ]);
  expect(got.size).toBe(5);
});

test("fetch() rejects for a blob that is not in the archive", async () => {
  const { queue } = queueOf();
  await expect(
    queue.fetch(api.id, new Set(["sha256:beef"]), async () => {}, signal),
  ).rejects.toThrow("docker save gave no blob sha256:beef");
});

test("fetch() rejects with what Docker says when it fails", async () => {
  const host = fakeHost(
    dockerCommand(/^save /, {
      exitCode: 1,
      stderr: "Error response from daemon: No such image: x",
      bytes: empty(),
    }),
  );
  const queue = createSaveQueue(createDocker(host, FAKE_ENV));
  await expect(queue.fetch(api.id, new Set([api.id]), async () => {}, signal)).rejects.toThrow(
    "No such image: x",
  );
});

test("fetch() fails one request by its sink and serves the others", async () => {
  const { queue } = queueOf();
  const got = new Map<string, string>();
  const first = queue.fetch(api.id, new Set([api.id]), async () => {}, signal);
  const bad = queue.fetch(
    api.id,
    new Set(api.diffIds),
    () => Promise.reject(new Error("full")),
    signal,
  );
  const good = queue.fetch(web.id, new Set([web.id]), (blob) => collect(got, blob), signal);
  await expect(bad).rejects.toThrow("full");
  await Promise.all([first, good]);
  expect(got.has(web.id)).toBe(true);
});

async function* empty(): AsyncGenerator<never> {}
