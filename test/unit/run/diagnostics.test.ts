import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { commandsCollector } from "../../../src/run/diagnostics.ts";
import { fakeHost } from "../../fake-host.ts";

const directory = mkdtempSync(join(tmpdir(), "tci-diagnostics-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("commandsCollector() writes what each command prints, also where another is missing or fails", async () => {
  const host = fakeHost([
    ([program]) => (program === "df" ? { stdout: "disk 80%\n" } : undefined),
    ([program]) => (program === "free" ? { notFound: true } : undefined),
    ([program]) => (program === "docker" ? { exitCode: 1, stderr: "no daemon" } : undefined),
  ]);
  const commands = {
    "disk.txt": ["df", "-h"],
    "memory.txt": ["free"],
    "docker.txt": ["docker", "info"],
  };
  await commandsCollector("machine", commands, host).collect(
    directory,
    new AbortController().signal,
  );
  const read = (file: string) => readFileSync(join(directory, file), "utf8");
  expect(read("disk.txt")).toBe("disk 80%\n");
  expect(read("memory.txt")).toContain("free");
  expect(read("docker.txt")).toBe("no daemon\n[docker info: exit code 1]\n");
});
