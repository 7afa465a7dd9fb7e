import { spawn } from "node:child_process";
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/model/run-result.ts";

const CLI = resolve(import.meta.dirname, "../../dist/cli.cjs");
const LINES = 1_000_000;
/** Of /proc/PID/stat a second. */
const TICKS = 100;
const PADDING = "x".repeat(90);

interface Flood {
  readonly code: number;
  /** The most memory that the program itself ever had resident; its children not counted. */
  readonly peakBytes: number;
  /** What it computed, the kernel's share included; its children not counted. */
  readonly cpuSecs: number;
  readonly report: RunResult;
}

/** Runs a local resource that prints so many numbered lines of 100 bytes, the console read by nobody slow. */
async function flood(dir: string, lines: number): Promise<Flood> {
  const reports = join(dir, `report-${lines}`);
  writeFileSync(
    join(dir, "Tiltfile"),
    `local_resource('flood', "seq -f '%09.0f${PADDING}' 1 ${lines}")\n`,
  );
  const argv = [CLI, "ci", "--cluster", "none", "--report-dir", reports];
  const child = spawn(process.execPath, argv, {
    cwd: dir,
    env: { PATH: process.env.PATH, XDG_STATE_HOME: join(dir, "state"), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.resume();
  let peakBytes = 0;
  let cpuSecs = 0;
  const look = setInterval(() => {
    const read = (name: string) => {
      const path = `/proc/${child.pid}/${name}`;
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    };
    peakBytes = Math.max(
      peakBytes,
      Number(/VmHWM:\s+(\d+) kB/.exec(read("status"))?.[1] ?? 0) * 1024,
    );
    const [, user = 0, system = 0] =
      /\) (?:\S+ ){11}(\d+) (\d+)/.exec(read("stat"))?.map(Number) ?? [];
    cpuSecs = Math.max(cpuSecs, (user + system) / TICKS);
  }, 10);
  const code = await new Promise<number>((done) =>
    child.on("close", (status) => done(status ?? -1)),
  );
  clearInterval(look);
  const report = JSON.parse(readFileSync(join(reports, "report.json"), "utf8")) as RunResult;
  return { code, peakBytes, cpuSecs, report };
}

describe.skipIf(process.platform !== "linux")("a local command that prints 100 MB", () => {
  test("adds less than 30 MB of memory, and no line of it is lost at 50,000 a second or more", async () => {
    const dir = mkdtempSync(join(tmpdir(), "tci-flood-"));
    try {
      const quiet = await flood(dir, 1);
      const loud = await flood(dir, LINES);
      expect([quiet.code, loud.code]).toEqual([0, 0]);
      const [phase] = loud.report.resources.find(({ name }) => name === "flood")!.phases;
      expect(phase!.log).toMatchObject({ lines: LINES });
      let next = 1;
      const log = createReadStream(join(dir, `report-${LINES}`, phase!.log!.path));
      for await (const line of createInterface({ input: log })) {
        const wanted = String(next).padStart(9, "0") + PADDING;
        if (!line.endsWith(wanted)) expect.fail(`line ${next} is ${line}`);
        next++;
      }
      expect(next - 1).toBe(LINES);
      // CPU time: on a machine with other work a second of the clock is no measure.
      const rate = LINES / (loud.cpuSecs - quiet.cpuSecs);
      const added = loud.peakBytes - quiet.peakBytes;
      console.log(
        `${Math.round(rate)} lines a CPU second; ${(added / 1e6).toFixed(1)} MB more than ${(quiet.peakBytes / 1e6).toFixed(1)} MB`,
      );
      expect(rate).toBeGreaterThan(50_000);
      expect(added).toBeLessThan(30e6);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
