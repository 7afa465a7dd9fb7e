import { appendFile, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listRecords, type Owned, openRecord, readRecord } from "../../../src/cluster/record.ts";
import { fakeHost } from "../../fake-host.ts";

const cluster: Owned = { type: "cluster", name: "tci-a", cli: "docker" };
const registry: Owned = { type: "container", name: "tci-a-registry", cli: "docker" };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tci-record-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("openRecord()", () => {
  test("writes a private file that names run and owner before anything is added", async () => {
    const record = await openRecord(dir, "tci-a", fakeHost());
    expect(record.path).toBe(join(dir, "runs", "tci-a.jsonl"));
    expect((await stat(record.path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(record.path, "utf8"))).toMatchObject({
      version: 1,
      run: "tci-a",
      owner: { pid: process.pid, machine: hostname() },
    });
  });

  test("goes on with the record of an earlier process", async () => {
    await (await openRecord(dir, "tci-a", fakeHost())).add(cluster);
    const again = await openRecord(dir, "tci-a", fakeHost());
    await again.add(registry);
    expect((await readRecord(again.path))?.entries).toEqual([cluster, registry]);
  });
});

describe("RunRecord.add()", () => {
  test("has the entry on disk when it resolves, and writes the same one only once", async () => {
    const record = await openRecord(dir, "tci-a", fakeHost());
    await Promise.all([record.add(cluster), record.add(cluster, registry), record.add(registry)]);
    const lines = (await readFile(record.path, "utf8")).trim().split("\n");
    expect(lines.slice(1).map((line) => JSON.parse(line))).toEqual([cluster, registry]);
  });

  test("rejects when the entry cannot be written, and the next one may succeed", async () => {
    const record = await openRecord(dir, "tci-a", fakeHost());
    await rm(join(dir, "runs"), { recursive: true });
    await expect(record.add(cluster)).rejects.toThrow("ENOENT");
    const again = await openRecord(dir, "tci-b", fakeHost());
    await expect(again.add(registry)).resolves.toBeUndefined();
  });
});

describe("readRecord()", () => {
  test("ignores half a last line, which a kill left", async () => {
    const record = await openRecord(dir, "tci-a", fakeHost());
    await record.add(cluster);
    await appendFile(record.path, '{"type":"container","na');
    expect((await readRecord(record.path))?.entries).toEqual([cluster]);
  });

  test("is undefined for a file that is not there and one without its first line", async () => {
    expect(await readRecord(join(dir, "none.jsonl"))).toBeUndefined();
    await appendFile(join(dir, "half.jsonl"), '{"version":1,"ru');
    expect(await readRecord(join(dir, "half.jsonl"))).toBeUndefined();
  });
});

test("RunRecord.close() forgets the run", async () => {
  const record = await openRecord(dir, "tci-a", fakeHost());
  await record.close();
  await record.close();
  expect(await readdir(join(dir, "runs"))).toEqual([]);
});

test("listRecords() gives all runs, none where there is no folder", async () => {
  expect(await listRecords(join(dir, "elsewhere"))).toEqual([]);
  await openRecord(dir, "tci-a", fakeHost());
  await openRecord(dir, "tci-b", fakeHost());
  expect((await listRecords(dir)).map(({ run }) => run).sort()).toEqual(["tci-a", "tci-b"]);
});
