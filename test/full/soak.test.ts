import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import { example } from "../cluster/tilt-ci.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";

/** Fewer for a look in between. */
const RUNS = Number(process.env.TILT_CI_SOAK_RUNS ?? 50);
/** What is compiled, cached and pooled once is there by then. */
const WARM_UP = Math.min(5, Math.floor(RUNS / 2));
/** From the end of the warm-up to the last run; docs/limits.md states them. */
const MAX_HEAP_GROWTH = 20 * 2 ** 20;
const MAX_NEW_HANDLES = 0;

interface Reading {
  readonly heap: number;
  readonly handles: number;
  readonly images: number;
  readonly containers: number;
  readonly volumes: number;
  readonly stateFiles: number;
}

/** Many runs in one process: what one leaves behind, fifty leave fifty times. */
describe("soak", () => {
  let state: string;
  beforeAll(() => {
    state = mkdtempSync(join(tmpdir(), "tci-soak-"));
  });
  afterAll(async () => {
    if (clusterAvailable()) await run("hello", ["down", "tci-soak"]);
    rmSync(state, { recursive: true });
  });

  test("local runs do not grow", async () => {
    expectNoGrowth(await soak("local-only", ["--cluster", "none"]));
  });

  describe.skipIf(!clusterAvailable())("with a cluster that stays", () => {
    test("runs on it do not grow", async () => {
      expectNoGrowth(await soak("hello", ["--reuse", "soak"]));
    });
  });

  async function soak(project: string, args: readonly string[]): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    for (let round = 0; round < RUNS; round++) {
      expect(await run(project, ["ci", ...args, "--report-dir", join(state, "report")])).toBe(0);
      readings.push(read(state));
    }
    return readings;
  }

  function run(project: string, argv: readonly string[]): Promise<number> {
    const { PATH = "", HOME = state } = process.env;
    const path = clusterAvailable() ? rigEnv().path : PATH;
    const image = clusterAvailable() ? { TILT_CI_NODE_IMAGE: rigEnv().nodeImage } : {};
    return main(argv, {
      program: ["tilt-ci"],
      stdin: new PassThrough(),
      stdout: silence(),
      stderr: silence(),
      env: { PATH: path, HOME, XDG_STATE_HOME: state, ...image },
      cwd: example(project),
      onSignal: () => () => {},
      exitNow: (code) => {
        throw new Error(`exit ${code}`);
      },
    });
  }
});

function expectNoGrowth(readings: readonly Reading[]): void {
  const first = readings[WARM_UP]!;
  const last = readings.at(-1)!;
  const story = JSON.stringify(
    readings.map(({ heap, ...rest }) => ({ heap: heap >> 20, ...rest })),
  );
  expect(last.heap - first.heap, story).toBeLessThan(MAX_HEAP_GROWTH);
  expect(last.handles - first.handles, story).toBeLessThanOrEqual(MAX_NEW_HANDLES);
  const { images, containers, volumes, stateFiles } = first;
  expect(last, story).toMatchObject({ images, containers, volumes, stateFiles });
}

function read(state: string): Reading {
  collectGarbage();
  const lines = (...argv: string[]) =>
    dockerLines(argv).filter((line) => /tci-soak|hello/.test(line)).length;
  return {
    heap: process.memoryUsage().heapUsed,
    handles: process.getActiveResourcesInfo().length,
    images: lines("images", "--format", "{{.Repository}}:{{.Tag}}"),
    containers: lines("ps", "--all", "--format", "{{.Names}}"),
    volumes: lines("volume", "ls", "--format", "{{.Name}}"),
    stateFiles: execFileSync("find", [state, "-type", "f"], { encoding: "utf8" }).split("\n")
      .length,
  };
}

/** Docker's words; none where there is no Docker. */
function dockerLines(argv: readonly string[]): readonly string[] {
  if (!clusterAvailable()) return [];
  return execFileSync("docker", argv, { encoding: "utf8" }).split("\n");
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

function silence(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
