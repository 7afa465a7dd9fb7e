import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CancelledError } from "../../../src/errors.ts";
import { createHost } from "../../../src/host/node-host.ts";
import {
  type EvaluationHooks,
  evaluateInWorker,
} from "../../../src/tiltfile/evaluate-in-worker.ts";
import type { EvaluateOptions } from "../../../src/tiltfile/options.ts";
import { TiltfileError } from "../../../src/tiltfile/tiltfile-error.ts";

const host = createHost({ env: process.env, cwd: process.cwd() });
let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "worker-")));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function run(tiltfile: string, hooks: Partial<EvaluationHooks> = {}, overrides = {}) {
  writeFileSync(join(directory, "Tiltfile"), tiltfile);
  const options: EvaluateOptions = {
    tiltfile: join(directory, "Tiltfile"),
    args: [],
    subcommand: "ci",
    env: { PATH: process.env.PATH ?? "" },
    kubeContext: { name: "kind-x", namespace: "default", allowed: true },
    extensions: { cacheDir: join(directory, "cache"), offline: true },
    allowLocalExec: true,
    ...overrides,
  };
  return evaluateInWorker(options, host, { log: () => {}, ...hooks });
}

/** Whether a process still runs; one that has ended and waits to be reaped does not. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, "utf8"));
}

describe("evaluateInWorker()", () => {
  test("hands over the plan as plain data", async () => {
    const plan = await run('local_resource("a", "true", deps=["x"])');
    expect(plan.resources).toHaveLength(1);
    expect(plan.resources[0]).toMatchObject({
      name: "a",
      type: "local",
      updateCmd: { argv: ["sh", "-c", "true"], dir: directory },
      deps: [join(directory, "x")],
    });
    expect(structuredClone(plan)).toEqual(plan);
  });

  test("throws the TiltfileError with its places and the caret", async () => {
    const error = await run('x = 1\nfail("boom")').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TiltfileError);
    const { message, positions, excerpt, exitCode } = error as TiltfileError;
    const file = join(directory, "Tiltfile");
    expect(message).toBe(
      `Traceback (most recent call last):\n  ${file}:2:5: in <toplevel>\nError in fail: boom`,
    );
    expect(positions).toEqual([{ file, line: 2, column: 5 }]);
    expect(excerpt).toBe('   2 | fail("boom")\n     |     ^');
    expect(exitCode).toBe(2);
  });

  test("streams a command's output while it runs, and the program goes on", async () => {
    const lines: { text: string; at: number }[] = [];
    let ticks = 0;
    const ticker = setInterval(() => ticks++, 20);
    const plan = await run('x = local("echo one; sleep 0.5; echo two")\nprint(x)', {
      log: (text) => lines.push({ text, at: Date.now() }),
    });
    clearInterval(ticker);
    const one = lines.find(({ text }) => text === " → one");
    const two = lines.find(({ text }) => text === " → two");
    expect(two!.at - one!.at).toBeGreaterThan(300);
    expect(ticks).toBeGreaterThan(10);
    expect(plan.environment.commands).toEqual([["sh", "-c", "echo one; sleep 0.5; echo two"]]);
  });

  test("ends a command and all it started within a second of the signal", async () => {
    const controller = new AbortController();
    const pids = join(directory, "pids");
    const script = `trap '' TERM; sleep 60 & echo $! > ${pids}; echo $$ >> ${pids}; wait; sleep 60`;
    const ended = run(`local(${JSON.stringify(script)})`, { signal: controller.signal }).catch(
      (e: unknown) => e,
    );
    while (!existsSync(pids) || readFileSync(pids, "utf8").split("\n").length < 3) await delay(20);
    const startedAt = performance.now();
    controller.abort();
    expect(await ended).toBeInstanceOf(CancelledError);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    for (const pid of readFileSync(pids, "utf8").trim().split("\n")) {
      expect(isAlive(Number(pid))).toBe(false);
    }
  });

  test("ends an endless loop on the signal", async () => {
    const controller = new AbortController();
    const ended = run("x = 0\nwhile True: x += 1", { signal: controller.signal }).catch(
      (e: unknown) => e,
    );
    await delay(500);
    const startedAt = performance.now();
    controller.abort();
    expect(await ended).toBeInstanceOf(CancelledError);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test("ends while a command waits for its turn", async () => {
    const controller = new AbortController();
    const ended = run('local("kubectl get pods")', {
      signal: controller.signal,
      beforeCommand: () => new Promise(() => {}),
    }).catch((e: unknown) => e);
    await delay(500);
    controller.abort();
    expect(await ended).toBeInstanceOf(CancelledError);
  });

  test("gives commands the environment that beforeCommand returns", async () => {
    const lines: string[] = [];
    await run('local("echo $KUBECONFIG")', {
      log: (line) => lines.push(line),
      beforeCommand: async (_argv, env) => ({ ...env, KUBECONFIG: "/k" }),
    });
    expect(lines).toContain(" → /k");
  });

  test("makes the refusal of beforeCommand the command's error", async () => {
    const error = await run('local("kubectl get pods")', {
      beforeCommand: async () => {
        throw new Error("there is no cluster in a plan");
      },
    }).catch((e: unknown) => e);
    expect((error as Error).message).toContain(
      'command "kubectl get pods" failed.\nerror: there is no cluster in a plan',
    );
  });

  test("runs a failed command again when the policy says so", async () => {
    const failures: (readonly string[])[] = [];
    const plan = await run('local("test -e done || { touch done; exit 7; }")', {
      onCommandFailure: async (argv) => {
        failures.push(argv);
        return "retry";
      },
    });
    expect(failures).toHaveLength(1);
    expect(plan.resources).toEqual([]);
  });

  test("fails when the policy gives up", async () => {
    const error = await run('local("exit 7")', { onCommandFailure: async () => "fail" }).catch(
      (e: unknown) => e,
    );
    expect((error as Error).message).toContain("error: exit status 7");
  });

  test("recurses as deep as Tilt does", async () => {
    const plan = await run(
      "def depth(n): return 0 if n == 0 else 1 + depth(n - 1)\nprint(depth(20000))",
    );
    expect(plan.resources).toEqual([]);
  });

  test("reports runaway recursion as an error of the Tiltfile", async () => {
    const error = await run("def f(): return f()\nf()").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TiltfileError);
    const { message, positions } = error as TiltfileError;
    expect(message).toContain("stack overflow");
    expect(message.split("\n").length).toBeLessThan(110);
    expect(positions.length).toBeLessThan(110);
  });

  test("ends an endless loop at the deadline", async () => {
    const error = await run("while True: pass", {}, { deadlineMs: 300 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TiltfileError);
    // On a busy machine the one who waits for the Worker may notice first.
    expect((error as Error).message).toMatch(/deadline exceeded|took longer than 300ms/);
  });

  test("ends long work inside of one builtin soon after the deadline", async () => {
    const tiltfile = `text = blob("apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: ${"a".repeat(60)}!}")
filter_yaml(text, name="(a+)+$")`;
    const error = await run(tiltfile, {}, { deadlineMs: 300 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TiltfileError);
    expect((error as Error).message).toBe("evaluation took longer than 300ms");
  });

  test("ends a command at the deadline", async () => {
    const error = await run('local("sleep 30")', {}, { deadlineMs: 700 }).catch((e: unknown) => e);
    expect((error as Error).message).toContain("error: deadline exceeded");
  });
});
