import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type BundleCollector,
  type BundleOptions,
  collectDiagnosticsBundle,
} from "../../../src/report/bundle.ts";
import { createScrubber } from "../../../src/report/scrub.ts";

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "tilt-ci-bundle-")), "bundle");
});
afterEach(() => {
  rmSync(join(dir, ".."), { recursive: true, force: true });
});

const SECRET = "hunter2-hunter2";
const collect = (collectors: BundleCollector[], more: Partial<BundleOptions> = {}) =>
  collectDiagnosticsBundle(dir, collectors, {
    scrubber: createScrubber([{ value: SECRET, label: "secret db:password", origin: "manifest" }]),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    ...more,
  });
const writer = (name: string, files: Record<string, string>): BundleCollector => ({
  name,
  async collect(directory) {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(directory, file, ".."), { recursive: true });
      writeFileSync(join(directory, file), text);
    }
  },
});

describe("collectDiagnosticsBundle()", () => {
  test("lets collectors listen for the end as often as they like, without a warning", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    const collector: BundleCollector = {
      name: "many",
      collect: async (_, signal) => {
        for (let i = 0; i < 50; i++) signal.addEventListener("abort", () => {});
      },
    };
    await collect([collector]);
    await sleep(10); // warnings are told on the next tick
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  test("gives each collector a directory, masks secrets, and lists what there is", async () => {
    const index = await collect([
      writer("pods", { "api/app.log": `pw ${SECRET}\n` }),
      writer("Node/../x", { "kubelet.log": "ok\n" }),
    ]);
    expect(readFileSync(join(dir, "pods/api/app.log"), "utf8")).toBe(
      "pw [redacted secret db:password]\n",
    );
    expect(index.collectors.map(({ name, status }) => [name, status])).toEqual([
      ["pods", "done"],
      ["Node/../x", "done"],
    ]);
    expect(index.collectors[0]?.files).toEqual([{ path: "pods/api/app.log", bytes: 33 }]);
    expect(JSON.parse(readFileSync(join(dir, "index.json"), "utf8"))).toEqual(index);
    expect(readdirSync(join(dir, "..", ".."), { recursive: false })).not.toContain("x");
  });

  test("runs them at once, and ends in time with what late ones had written", async () => {
    const slow = (name: string): BundleCollector => ({
      name,
      collect: async (directory, signal) => {
        writeFileSync(join(directory, "first"), "got this\n");
        await sleep(60_000, undefined, { signal });
      },
    });
    let writesLater: Promise<void> | undefined;
    const deaf: BundleCollector = {
      name: "deaf",
      async collect(directory) {
        writeFileSync(join(directory, "early"), "early\n");
        writesLater = sleep(1500).then(() => {
          try {
            writeFileSync(join(directory, "later"), SECRET);
          } catch {
            /* its directory is gone */
          }
        });
        await sleep(60_000, undefined, { ref: false });
      },
    };
    const start = performance.now();
    const index = await collect([slow("a"), slow("b"), deaf, writer("quick", { f: "x\n" })], {
      timeoutMs: 200,
    });
    expect(performance.now() - start).toBeLessThan(3000);
    expect(index.collectors.map(({ name, status }) => [name, status])).toEqual([
      ["a", "late"],
      ["b", "late"],
      ["deaf", "late"],
      ["quick", "done"],
    ]);
    expect(index.collectors[0]?.files).toEqual([{ path: "a.late/first", bytes: 9 }]);
    await writesLater;
    expect(existsSync(join(dir, "deaf/later"))).toBe(false);
    expect(existsSync(join(dir, "deaf.late/later"))).toBe(false);
  });

  test("tells what failed, and keeps the rest", async () => {
    const failing: BundleCollector = {
      name: "docker",
      collect: () => Promise.reject(new Error(`docker info: ${SECRET}`)),
    };
    const throwing: BundleCollector = {
      name: "disk",
      collect() {
        throw new Error("df");
      },
    };
    const index = await collect([failing, throwing, writer("ok", { f: "x\n" })]);
    expect(index.collectors.map(({ status, message }) => [status, message])).toEqual([
      ["failed", "docker info: [redacted secret db:password]"],
      ["failed", "df"],
      ["done", undefined],
    ]);
  });

  test("cuts large files in the middle and keeps the whole within its size", async () => {
    const lines = (n: number) =>
      Array.from({ length: n }, (_, i) => `line ${i} ${i === n / 2 ? SECRET : ""}\n`).join("");
    const index = await collect([writer("logs", { big: lines(200_000), small: "small\n" })], {
      maxFileBytes: 100_000,
    });
    const text = readFileSync(join(dir, "logs/big"), "utf8");
    expect(text.length).toBeLessThanOrEqual(100_000);
    expect(text).toMatch(/^line 0 \n/);
    expect(text.trimEnd().endsWith("line 199999")).toBe(true);
    expect(text).toMatch(/\[tilt-ci: \d+ bytes left out here\]/);
    expect(index.collectors[0]?.files[0]).toMatchObject({
      path: "logs/big",
      cutBytes: expect.any(Number),
    });
    const tiny = await collect([writer("one", { a: lines(2000), b: lines(2000), c: "c\n" })], {
      maxBytes: 25_000,
    });
    expect(tiny.bytes).toBeLessThanOrEqual(25_000);
    expect(readFileSync(join(dir, "one/c"), "utf8")).toBe("c\n");
  });

  test("keeps no links", async () => {
    const outside = join(dir, "..", "outside");
    await collect([
      {
        name: "links",
        async collect(directory) {
          writeFileSync(outside, SECRET);
          symlinkSync(outside, join(directory, "link"));
          symlinkSync("/etc", join(directory, "etc"));
        },
      },
    ]);
    expect(readdirSync(join(dir, "links"))).toEqual([]);
    expect(readFileSync(outside, "utf8")).toBe(SECRET);
  });

  test("does not throw where nothing can be written", async () => {
    writeFileSync(dir, "a file");
    const index = await collect([writer("pods", { f: "x" })]);
    expect(index.collectors[0]?.status).toBe("failed");
  });
});
