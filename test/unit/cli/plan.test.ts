import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

// The program as it is shipped: its Worker, its processes and its signals.
const directory = mkdtempSync(join(tmpdir(), "plan-"));
const program = join(directory, "dist");

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs", program], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Whether a process still runs; one that has ended and waits to be reaped does not. */
function isAlive(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, "utf8"));
}

/** Ends a plan in the midst of a command that ignores the signal; how many milliseconds that takes. */
async function endByItself(signal: "SIGINT" | "SIGTERM", exitCode: number): Promise<number> {
  const pids = join(mkdtempSync(join(directory, "run-")), "pids");
  const script = `echo begun; trap '' INT TERM; sleep 300 & echo $! >> ${pids}; echo $$ >> ${pids}; echo waiting; wait; sleep 300`;
  const tiltfile = `${pids}.Tiltfile`;
  writeFileSync(tiltfile, `local(${JSON.stringify(script)})\n`);
  const child = spawn(process.execPath, [join(program, "cli.cjs"), "plan", "-f", tiltfile], {
    env: { ...process.env, XDG_STATE_HOME: join(directory, "state") },
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  // what a command prints is shown while it runs
  while (!text.includes(" → begun\n → waiting")) await delay(20);
  const started = readFileSync(pids, "utf8").trim().split("\n");
  expect(started.filter(isAlive)).toEqual(started);
  const signalledAt = performance.now();
  child.kill(signal);
  expect(await ended).toBe(exitCode);
  expect(started.filter(isAlive)).toEqual([]);
  return performance.now() - signalledAt;
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "tilt-ci plan ends at %s within a second, with all that a long local() has started",
  async (signal, exitCode) => {
    // Other programs may hold the processor: the quickest of three shows what the program itself takes.
    let quickest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3 && quickest >= 1000; i++) {
      quickest = Math.min(quickest, await endByItself(signal, exitCode));
    }
    expect(quickest).toBeLessThan(1000);
  },
  60_000,
);

/** What `tilt-ci plan` says of these files. */
function plan(files: Readonly<Record<string, string>>, ...args: string[]) {
  const folder = mkdtempSync(join(directory, "files-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(program, "cli.cjs"), "plan", ...args],
    {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, XDG_STATE_HOME: join(folder, "state") },
    },
  );
  return { status, stdout, stderr: stderr.replaceAll(folder, "") };
}

test("tilt-ci plan tells a warning once, and where it comes from", () => {
  const { stderr } = plan({ Tiltfile: "warn('careful')\nprint('after')\n" }, "-o", "json");
  expect(stderr.match(/careful/g)).toHaveLength(1);
  expect(stderr).toContain("\nWARNING: careful\n  at Tiltfile:1:5\nafter\nSuccessfully loaded");
});

test("tilt-ci plan says what a warning may be about", () => {
  const calls = "local_resource('api', 'x')\nlocal_resource('b', 'x', resource_deps=['apj'])\n";
  const { status, stdout, stderr } = plan({ Tiltfile: calls });
  expect(status).toBe(0);
  expect(stderr).toContain('dependency ignored\n  at Tiltfile:2:15\n  Did you mean "api"?\n');
  expect(stdout).toMatch(/dependency ignored\n +Did you mean "api"\?\n/);
  const document = JSON.parse(plan({ Tiltfile: calls }, "-o", "json").stdout);
  expect(document.warnings).toMatchObject([{ hint: 'Did you mean "api"?' }]);
});

test("tilt-ci plan tells the warnings of a Tiltfile that fails", () => {
  const { status, stderr } = plan({ Tiltfile: "warn('care\\nful')\nfail('boom')\n" });
  expect(status).toBe(2);
  expect(stderr).toContain("WARNING: care\nful\n  at Tiltfile:1:5\nError: Traceback");
});

test("tilt-ci plan says where the calls are that do not fit together", () => {
  const { status, stderr } = plan({
    Tiltfile: "include('lib.Tiltfile')\n",
    "lib.Tiltfile": "\nlocal_resource('a', 'x', resource_deps=['a'])\n",
  });
  expect(status).toBe(2);
  expect(stderr).toContain(
    "Error: resource a specified a dependency on itself\n  at /lib.Tiltfile:2:15\n   2 | local_resource",
  );
});

test("tilt-ci plan says where resources are enabled that are none", () => {
  const { stderr } = plan({ Tiltfile: "config.set_enabled_resources(['a'])\n" });
  expect(stderr).toContain("  at /Tiltfile:1:29\n");
});

test("tilt-ci plan says where YAML is wrong", () => {
  const { stderr } = plan({ Tiltfile: "read_yaml('x.yaml')\n", "x.yaml": "a: 1\nb: [\n" });
  expect(stderr).toContain("Look at /x.yaml:2, in document 1\n");
  expect(stderr).not.toContain("  at ");
});

test("tilt-ci plan does not repeat a place that the message names", () => {
  const { stderr } = plan({ Tiltfile: "k8s_resource('nope', labels=['x'])\n" });
  expect(stderr.match(/Tiltfile:1:13/g)).toHaveLength(1);
});
