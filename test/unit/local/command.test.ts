import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHost } from "../../../src/host/node-host.ts";
import { commandEnvironment, runCommand } from "../../../src/local/index.ts";
import { isRunning } from "./liveness.ts";

const host = createHost({ env: process.env, cwd: process.cwd() });

async function run(
  script: string,
  { dir = "/", env = {} }: { dir?: string; env?: Record<string, string> } = {},
  signal = new AbortController().signal,
): Promise<string[]> {
  const lines: string[] = [];
  await runCommand(
    { argv: ["sh", "-c", script], dir, env },
    { env: host.env, kubeconfig: "/run/kubeconfig", color: false },
    host,
    { signal, onLine: (line) => void lines.push(line) },
  );
  return lines;
}

/** The rows of ci-engine.md §12 and §4 about commands. */
describe("runCommand()", () => {
  test("tells both streams line by line, from the directory that is asked for", async () => {
    const dir = mkdtempSync(join(tmpdir(), "tci-command-"));
    try {
      expect((await run("pwd; echo err >&2", { dir })).sort()).toEqual([dir, "err"].sort());
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test("gives the environment of tilt ci, the cluster's kubeconfig, and the resource's own", async () => {
    const text = "echo $LINES $COLUMNS $PYTHONUNBUFFERED $KUBECONFIG $OWN $TILT_HOST";
    expect(await run(text, { env: { OWN: "own" } })).toEqual([
      "24 80 1 /run/kubeconfig own localhost",
    ]);
  });

  test("fails with the status, in Tilt's words", async () => {
    await expect(run("echo why; exit 7")).rejects.toMatchObject({
      failure: {
        code: "CommandFailed",
        message: 'Command "echo why; exit 7" failed: exit status 7',
        detail: "why",
      },
    });
  });

  test("fails for a signal, a missing program and a missing directory", async () => {
    await expect(run("kill -9 $$")).rejects.toThrow(
      'Command "kill -9 $$" failed: ended by SIGKILL',
    );
    await expect(run("true", { dir: "/no/such/place" })).rejects.toThrow(
      'Command "true" cannot run: no directory /no/such/place',
    );
    const missing = runCommand(
      { argv: ["no-such-program"], dir: "/", env: {} },
      { env: host.env, color: false },
      host,
      { signal: new AbortController().signal, onLine: () => {} },
    );
    await expect(missing).rejects.toThrow("no-such-program");
  });

  test("leaves nothing of its process group running", async () => {
    const [pid] = await run("sleep 777 & echo $!");
    await expect.poll(() => isRunning(Number(pid))).toBe(false);
  });

  test("is cancelled by its signal", async () => {
    const stop = new AbortController();
    const running = run("sleep 777", {}, stop.signal);
    setTimeout(() => stop.abort(), 50);
    await expect(running).rejects.toThrow("cancelled");
  });
});

describe("commandEnvironment()", () => {
  test("tells commands that nothing is collected, unless they were told otherwise", () => {
    const of = (env: Record<string, string>) => commandEnvironment({ env, color: false }, {});
    expect(of({})).toMatchObject({ TILT_DISABLE_ANALYTICS: "1", TILT_HOST: "localhost" });
    expect(of({ TILT_DISABLE_ANALYTICS: "0", TILT_HOST: "box", DO_NOT_TRACK: "1" })).toMatchObject({
      TILT_DISABLE_ANALYTICS: "0",
      TILT_HOST: "box",
      DO_NOT_TRACK: "1",
    });
  });

  test("lets the user's variables win over all of ours", () => {
    const surroundings = { env: { TILT_PORT: "1", LINES: "9" }, color: true };
    expect(commandEnvironment(surroundings, { COLUMNS: "7" })).toMatchObject({
      TILT_PORT: "1",
      LINES: "24",
      COLUMNS: "7",
      FORCE_COLOR: "1",
    });
  });
});
