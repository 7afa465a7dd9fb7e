import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { selectContext, selectedEntries } from "../../../src/images/context-filter.ts";
import { tarContext } from "../../../src/images/context-tar.ts";
import { readTar } from "../../../src/images/tar-reader.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tilt-ci-tar-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function archive(extra: { path: string; contents: string }[] = []): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const entries = selectedEntries(await selectContext(root, [], []));
  for await (const part of tarContext(entries, extra)) parts.push(part);
  return Buffer.concat(parts);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("tarContext() writes what tar reads: modes, links, owner root", async () => {
  await writeFile(join(root, "run.sh"), "#!/bin/sh\n");
  await chmod(join(root, "run.sh"), 0o755);
  await mkdir(join(root, "dir"));
  await symlink("../run.sh", join(root, "dir", "link"));
  await utimes(join(root, "run.sh"), 1_700_000_000, 1_700_000_000);
  const listing = execFileSync("tar", ["tv", "--numeric-owner", "--utc"], {
    input: await archive(),
  }).toString();
  const lines = listing
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));
  expect(lines[0]).toMatch(/^drwxr-xr-x 0\/0 0 .* dir\/$/);
  expect(lines[1]).toMatch(/^lrwxrwxrwx 0\/0 0 .* dir\/link -> \.\.\/run\.sh$/);
  expect(lines[2]).toMatch(/^-rwxr-xr-x 0\/0 10 2023-11-14 22:13 run\.sh$/);
});

test("tarContext() gives the same bytes for the same files", async () => {
  await writeFile(join(root, "b"), "b");
  await writeFile(join(root, "a"), "a");
  expect((await archive()).equals(await archive())).toBe(true);
});

test("tarContext() keeps long and foreign names", async () => {
  const long = `${"x".repeat(120)}/${"y".repeat(90)}`;
  await mkdir(join(root, "x".repeat(120)));
  await writeFile(join(root, long), "deep");
  await writeFile(join(root, "größe-\u{1f600}"), "ü");
  await symlink("z".repeat(150), join(root, "far"));
  const bytes = await archive();
  const listing = execFileSync("tar", ["t", "--quoting-style=literal"], {
    input: bytes,
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  }).toString();
  expect(listing.trim().split("\n")).toEqual([
    "far",
    "größe-\u{1f600}",
    `${"x".repeat(120)}/`,
    long,
  ]);
  expect(execFileSync("tar", ["tv"], { input: bytes }).toString()).toContain(
    `far -> ${"z".repeat(150)}`,
  );
});

test("tarContext() puts extra files last", async () => {
  await writeFile(join(root, "a"), "a");
  const names: string[] = [];
  for await (const { name } of readTar(
    inPieces(await archive([{ path: ".x", contents: "FROM scratch" }]), 700),
  ))
    names.push(name);
  expect(names).toEqual(["a", ".x"]);
});

test.each([1, 7, 512, 1000, 1 << 20])(
  "readTar() gives back what tarContext() wrote, in pieces of %i bytes",
  async (size) => {
    const contents: Record<string, string> = {
      a: "",
      b: "x".repeat(511),
      c: "y".repeat(512),
      d: "z".repeat(1500),
    };
    for (const [name, text] of Object.entries(contents)) await writeFile(join(root, name), text);
    const read: Record<string, string> = {};
    for await (const { name, size: length, body } of readTar(inPieces(await archive(), size))) {
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      read[name] = Buffer.concat(parts).toString();
      expect(length).toBe(read[name].length);
    }
    expect(read).toEqual(contents);
  },
);

test("readTar() skips members that nobody reads and rejects a stream that is cut off", async () => {
  await writeFile(join(root, "a"), "x".repeat(3000));
  await writeFile(join(root, "b"), "b");
  const bytes = await archive();
  const names: string[] = [];
  for await (const { name } of readTar(inPieces(bytes, 600))) names.push(name);
  expect(names).toEqual(["a", "b"]);
  const cut = async () => {
    for await (const _ of readTar(inPieces(bytes.subarray(0, 1000), 600)));
  };
  await expect(cut()).rejects.toThrow("ends too early");
});
