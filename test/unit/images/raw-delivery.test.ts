import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RawDelivery } from "../../../src/images/raw-delivery.ts";
import { RegistryClient, RegistryError } from "../../../src/images/registry-client.ts";
import { fakeImage, fakeSource } from "./fake-images.ts";
import { type FakeRegistry, sha256, startFakeRegistry } from "./fake-registry.ts";

const { signal } = new AbortController();
let registry: FakeRegistry;
let client: RegistryClient;
beforeEach(async () => {
  registry = await startFakeRegistry();
  client = new RegistryClient(registry.host);
});
afterEach(async () => {
  client.close();
  await registry[Symbol.asyncDispose]();
});

const base = fakeImage("base layer");
const api = fakeImage("base layer", "api");
const web = fakeImage("base layer", "web");

const to = (repository: string, tag = "t") => ({ repository, tag });

describe("RawDelivery", () => {
  test("send() puts layers, configuration and manifest into the registry as they are", async () => {
    const sent = await new RawDelivery(client, [fakeSource([api])]).send(api, to("api"), signal);
    const manifest = registry.manifests.get("api:t")!;
    expect(JSON.parse(manifest.toString())).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: api.id,
        size: api.blobs.get(api.id)!.length,
      },
      layers: api.diffIds.map((digest) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest,
        size: api.blobs.get(digest)!.length,
      })),
    });
    const bytes = [...api.blobs.values()].reduce((total, { length }) => total + length, 0);
    expect(sent).toEqual({ digest: sha256(manifest), bytesUploaded: bytes, cached: false });
    expect([...registry.blobs.keys()].sort()).toEqual([...api.blobs.keys()].sort());
  });

  test("send() asks the source for nothing that the repository has", async () => {
    const source = fakeSource([api]);
    await new RawDelivery(client, [source]).send(api, to("api"), signal);
    const again = await new RawDelivery(client, [source]).send(api, to("api", "u"), signal);
    expect(again).toMatchObject({ bytesUploaded: 0, cached: true });
    expect(source.asked).toHaveLength(1);
    expect(registry.manifests.has("api:u")).toBe(true);
  });

  test("send() sends a layer that images share once, however many are on their way", async () => {
    const delivery = new RawDelivery(client, [fakeSource([base, api, web])]);
    await Promise.all([
      delivery.send(base, to("mirror/base"), signal),
      delivery.send(api, to("api"), signal),
      delivery.send(web, to("web"), signal),
    ]);
    const shared = base.diffIds[0]!;
    expect(registry.uploads().filter((digest) => digest === shared)).toHaveLength(1);
    expect(registry.uploads()).toHaveLength(6);
    for (const repository of ["mirror/base", "api", "web"]) {
      expect(registry.links.has(`${repository}@${shared}`)).toBe(true);
      expect(registry.manifests.has(`${repository}:t`)).toBe(true);
    }
  });

  test("send() sends a layer again where the registry refuses to mount", async () => {
    registry.refuseMounts = true;
    const delivery = new RawDelivery(client, [fakeSource([base, api])]);
    await delivery.send(base, to("base"), signal);
    await delivery.send(api, to("api"), signal);
    expect(registry.manifests.has("api:t")).toBe(true);
    expect(registry.seen.filter(({ method }) => method === "DELETE")).toHaveLength(1);
  });

  test("send() turns to the next source where one cannot read", async () => {
    const second = fakeSource([api]);
    await new RawDelivery(client, [fakeSource([], { fails: true }), second]).send(
      api,
      to("api"),
      signal,
    );
    expect(second.asked).toEqual([[api.id, ...api.diffIds]]);
  });

  test("send() turns to the next source where one gives other bytes than it says", async () => {
    const damaged = api.diffIds[1]!;
    const second = fakeSource([api]);
    await new RawDelivery(client, [fakeSource([api], { broken: [damaged] }), second]).send(
      api,
      to("api"),
      signal,
    );
    expect(second.asked).toEqual([[damaged]]);
    expect(registry.blobs.get(damaged)?.toString()).toBe("api");
  });

  test("send() rejects when no source has the layers", async () => {
    await expect(
      new RawDelivery(client, [fakeSource([])]).send(api, to("api"), signal),
    ).rejects.toThrow("no sha256");
  });

  test("send() of an image goes on when the delivery that had taken on a shared layer fails", async () => {
    let failed = false;
    const source = fakeSource([api, web]);
    registry.intercept = (method, url) => {
      if (failed || method !== "PUT" || !url.includes(base.diffIds[0]!)) return undefined;
      failed = true;
      return 500;
    };
    const delivery = new RawDelivery(client, [source]);
    const results = await Promise.allSettled([
      delivery.send(api, to("api"), signal),
      delivery.send(web, to("web"), signal),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(registry.manifests.has("web:t")).toBe(true);
  });

  test("send() works when it is tried again", async () => {
    registry.intercept = (method) => (method === "PUT" ? "hang up" : undefined);
    const delivery = new RawDelivery(client, [fakeSource([api])]);
    await expect(delivery.send(api, to("api"), signal)).rejects.toThrow(
      /socket hang up|ECONNRESET|EPIPE/,
    );
    registry.intercept = () => undefined;
    await delivery.send(api, to("api"), signal);
    expect(registry.manifests.has("api:t")).toBe(true);
  });
});

describe("RegistryClient", () => {
  test("upload() streams large blobs without holding them", async () => {
    const chunk = Buffer.alloc(1 << 20, 1);
    const total = 64;
    async function* chunks() {
      for (let count = 0; count < total; count += 1) yield chunk;
    }
    const whole = sha256(Buffer.concat(Array.from({ length: total }, () => chunk)));
    await client.upload("big", { digest: whole, size: total << 20, chunks: chunks() }, signal);
    expect(registry.blobs.get(whole)?.length).toBe(total << 20);
  });

  test("tells the registry's own words", async () => {
    registry.intercept = () => 403;
    const error = await client.blobSize("a", base.id, signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RegistryError);
    expect((error as RegistryError).status).toBe(403);
    registry.intercept = (method) => (method === "PUT" ? 507 : undefined);
    await expect(client.putManifest("a", "t", Buffer.from("{}"), signal)).rejects.toThrow(
      "PUT /v2/a/manifests/t: 507 FORCED: by the test",
    );
  });

  test("ping() is false for a registry that wants credentials", async () => {
    expect(await client.ping(signal)).toBe(true);
    registry.intercept = () => 401;
    expect(await client.ping(signal)).toBe(false);
  });

  test("ends a request when the signal fires", async () => {
    const controller = new AbortController();
    async function* never(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
      controller.abort();
      await new Promise(() => {});
    }
    const upload = client.upload(
      "a",
      { digest: base.id, size: 10, chunks: never() },
      controller.signal,
    );
    await expect(upload).rejects.toThrow();
    expect(registry.uploads()).toEqual([]);
  });
});
