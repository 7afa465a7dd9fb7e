import { describe, expect, test } from "vitest";
import { CancelledError } from "../../../src/errors.ts";
import { CommandNotFoundError } from "../../../src/host/command-not-found.ts";
import { createHost } from "../../../src/host/node-host.ts";

const host = createHost({ env: process.env, cwd: process.cwd() });
const sh = (script: string) => ["sh", "-c", script];

/** Processes of a group that still run (a zombie that nobody has reaped yet does not). */
async function membersOf(group: number): Promise<string[]> {
  const { stdout } = await host.run(["ps", "-eo", "pgid=,stat=,args="]);
  return stdout.split("\n").filter((line) => new RegExp(`^\\s*${group}\\s+[^Z]`).test(line));
}

describe("run()", () => {
  test("returns status and both streams", async () => {
    const outcome = await host.run(sh("echo out; echo err >&2; exit 3"));
    expect(outcome).toMatchObject({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
      timedOut: false,
    });
  });

  test("feeds the input and survives a program that does not read it", async () => {
    expect((await host.run(["cat"], { input: "é\n" })).stdout).toBe("é\n");
    expect((await host.run(["true"], { input: "x".repeat(1 << 20) })).exitCode).toBe(0);
  });

  test("delivers whole lines, a last one without an end included", async () => {
    const lines: string[] = [];
    await host.run(sh("printf 'a\\nb\\r\\n'; sleep 0.05; printf 'c'"), {
      onLine: (line) => void lines.push(line),
    });
    expect(lines).toEqual(["a", "b", "c"]);
  });

  test("throws CommandNotFoundError for a program that does not exist", async () => {
    await expect(host.run(["/no/such/program"])).rejects.toThrow(CommandNotFoundError);
    await expect(host.run(["no-such-program"])).rejects.toThrow('Cannot run "no-such-program"');
  });

  test("ends the whole group when the signal fires", async () => {
    const abort = new AbortController();
    let pid = 0;
    const running = host.run(sh("sleep 60 & sleep 60"), {
      signal: abort.signal,
      onPid: (p) => {
        pid = p;
        setTimeout(() => abort.abort(), 50);
      },
    });
    await expect(running).rejects.toThrow(CancelledError);
    expect(await membersOf(pid)).toEqual([]);
  });

  test("kills a group that ignores SIGTERM after the grace", async () => {
    const outcome = await host.run(sh("trap '' TERM; while :; do sleep 0.1; done"), {
      timeoutMs: 100,
      killAfterMs: 200,
    });
    expect(outcome).toMatchObject({ timedOut: true, signal: "SIGKILL", exitCode: 137 });
  });

  test("ends what a finished leader left in the background", async () => {
    const startedAt = Date.now();
    const outcome = await host.run(sh("sleep 60 & echo done"));
    expect(outcome.stdout).toBe("done\n");
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });

  test("waits for no process that has left the group and holds the pipes", async () => {
    const startedAt = Date.now();
    const outcome = await host.run(sh("setsid sleep 8 & sleep 0.2; echo done"));
    expect(outcome.stdout).toBe("done\n");
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });

  test("delivers all that a finished leader wrote, however slowly it is taken", async () => {
    let taken = 0;
    await host.run(sh("seq 1 60"), {
      onLine: async () => {
        taken += 1;
        await host.clock.sleep(20);
      },
    });
    expect(taken).toBe(60);
  });

  test("keeps only the tail of the output when there is more than maxBuffer", async () => {
    const { stdout } = await host.run(sh("seq 1 100000"), { maxBuffer: 100 });
    expect(stdout.length).toBe(100);
    expect(stdout.endsWith("100000\n")).toBe(true);
  });

  test("ends with a signal that fires while it is started", async () => {
    const stop = new AbortController();
    const running = host.run(["sleep", "30"], { signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toThrow("cancelled");
  });
});

describe("spawn()", () => {
  test("streams lines, tells the end, and stops on request", async () => {
    const lines: string[] = [];
    const server = await host.spawn(sh("echo up; exec sleep 60"), {
      onLine: (l) => void lines.push(l),
    });
    while (lines.length === 0) await host.clock.sleep(10);
    await server.stop();
    expect(await server.exited).toMatchObject({ signal: "SIGTERM", exitCode: 143 });
    expect(lines).toEqual(["up"]);
  });

  test("stops a server whose child has left the group and holds the pipes", async () => {
    const lines: string[] = [];
    const server = await host.spawn(sh("setsid sleep 8 & echo up; exec sleep 60"), {
      onLine: (l) => void lines.push(l),
    });
    while (lines.length === 0) await host.clock.sleep(10);
    const startedAt = Date.now();
    await server.stop();
    expect(await server.exited).toMatchObject({ signal: "SIGTERM" });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});
