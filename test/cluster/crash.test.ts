import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunResult } from "../../src/model/run-result.ts";
import { BUG, crashOnSignal } from "../chaos/crash-on-signal.ts";
import { MARK, processesOf } from "../chaos/machine.ts";

const DIST = resolve(import.meta.dirname, "../../dist");

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly report: RunResult | undefined;
}

/** The built program with a bug that nobody catches, planted while it runs. */
describe("a crash of tilt-ci itself", () => {
  let root: string;
  let token: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tci-crash-"));
    token = `crash-${process.pid}-${root.slice(-6)}`;
    mkdirSync(join(root, "project"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Runs a project until `after` is printed and crashes it there, `times` times. */
  function crash(
    tiltfile: string,
    {
      after,
      how = "exception",
      times = 1,
      args = [],
    }: {
      readonly after: string;
      readonly how?: "exception" | "rejection";
      readonly times?: number;
      readonly args?: readonly string[];
    },
  ): Promise<Ended> {
    writeFileSync(join(root, "project", "Tiltfile"), tiltfile);
    const reports = join(root, "reports");
    const argv = ["ci", "--cluster", "none", "--report-dir", reports, ...args];
    const child = spawn(process.execPath, [join(DIST, "cli.cjs"), ...argv], {
      cwd: join(root, "project"),
      env: {
        PATH: process.env.PATH,
        HOME: root,
        XDG_STATE_HOME: join(root, "state"),
        [MARK]: token,
        ...crashOnSignal(root, how),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let crashes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += String(chunk);
      for (; stdout.includes(after) && crashes < times; crashes++) child.kill("SIGUSR2");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += String(chunk);
    });
    return new Promise((done) =>
      child.once("close", (code) => {
        const path = join(reports, "report.json");
        const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
        done({ code, stderr, report });
      }),
    );
  }

  const LONG = `local_resource('server', serve_cmd='setsid sleep 100 & exec sleep 100')
local_resource('slow', 'echo "n"ow; sleep 100')
`;

  function expectNothingLeft(): void {
    expect(processesOf(token)).toEqual([]);
    expect(readdirSync(join(root, "state", "tilt-ci", "runs"))).toEqual([]);
    const temporary = join(root, "state", "tilt-ci", "tmp");
    expect(existsSync(temporary) ? readdirSync(temporary) : []).toEqual([]);
  }

  test.each(["exception", "rejection"] as const)(
    "is told, tears down and exits with 3: %s",
    async (how) => {
      const { code, stderr, report } = await crash(LONG, { after: "now", how });
      expect(code).toBe(3);
      expect(stderr).toContain(`Error: tilt-ci has a bug: ${BUG} (version `);
      expect(stderr).toContain("Run again with --debug and report it with what it prints");
      expect(stderr).not.toMatch(/^ +at /m);
      expect(report).toMatchObject({ verdict: "error", exitCode: 3, complete: true });
      expect(report?.message).toContain(`tilt-ci has a bug: ${BUG}`);
      expect(report?.resources.find(({ name }) => name === "slow")?.status).toBe("cancelled");
      expect(readFileSync(join(root, "reports", "junit.xml"), "utf8")).toContain(BUG);
      expectNothingLeft();
    },
  );

  test("shows where it is with --debug", async () => {
    const { code, stderr } = await crash(LONG, { after: "now", args: ["--debug"] });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^ +at .*crash-on-signal\.cjs/m);
  });

  test("is survived by the teardown when it comes again and again", async () => {
    const { code, stderr, report } = await crash(LONG, { after: "now", times: 5 });
    expect(code).toBe(3);
    expect(stderr.split("has a bug").length - 1).toBeLessThanOrEqual(3);
    expect(report).toMatchObject({ verdict: "error", exitCode: 3, complete: true });
    expectNothingLeft();
  });

  test("keeps a failure that was found before in the report", async () => {
    const tiltfile = `local_resource('bad', 'exit 7', allow_parallel=True)
local_resource('slow', 'sleep 1; echo "n"ow; sleep 100', allow_parallel=True)
`; // the command itself is printed, too, as it begins
    const { code, report } = await crash(tiltfile, { after: "now", args: ["--keep-going"] });
    expect({ code, verdict: report?.verdict }).toEqual({ code: 3, verdict: "error" });
    const bad = report?.resources.find(({ name }) => name === "bad");
    expect(bad?.status).toBe("failed");
  });
});

/** The door of the program in front of a command that is none of ours. */
describe("the program's exit code", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tci-door-"));
    copyFileSync(join(DIST, "cli.cjs"), join(root, "cli.cjs"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test.each([
    [0, "says so", "async () => 0", ""],
    [3, "never comes to its end", "() => new Promise(() => {})", ""],
    [
      3,
      "throws late",
      "() => new Promise(() => setTimeout(() => { throw BUG; }))",
      "has a bug: boom",
    ],
    [3, "rejects", "() => Promise.reject(BUG)", "has a bug: boom"],
  ])("is %d when a command %s", async (wanted, _what, main, told) => {
    const text = `const BUG = new Error("boom");\nexports.main = ${main};\n`;
    writeFileSync(join(root, "main.cjs"), text);
    const child = spawn(process.execPath, [join(root, "cli.cjs"), "ci"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += String(chunk);
    });
    const code = await new Promise((done) => child.once("close", done));
    expect(code).toBe(wanted);
    if (told === "") expect(stderr).toBe("");
    else expect(stderr).toContain(told);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
