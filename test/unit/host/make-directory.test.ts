import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeDirectory } from "../../../src/host/make-directory.ts";

describe("makeDirectory()", () => {
  const directory = mkdtempSync(join(tmpdir(), "tci-make-"));

  test("makes what is missing, with its mode, and takes what is there", ({ onTestFinished }) => {
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "a/b/c");
    makeDirectory(path, 0o700);
    makeDirectory(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    symlinkSync("a", join(directory, "link"));
    makeDirectory(join(directory, "link/d"));
    expect(statSync(join(directory, "a/d")).isDirectory()).toBe(true);
    writeFileSync(join(directory, "file"), "");
    expect(() => makeDirectory(join(directory, "file"))).toThrow(/EEXIST/);
    expect(() => makeDirectory(join(directory, "file/x"))).toThrow(/ENOTDIR|EEXIST/);
  });

  test.runIf(process.platform === "linux")("gives up where nothing can be made", () => {
    expect(() => makeDirectory("/proc/none/x")).toThrow(/ENOENT/);
  });
});
