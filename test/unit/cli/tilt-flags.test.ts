import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { addRunFlags, type CiFlags, webFlagsGiven } from "../../../src/cli/run-flags.ts";
import { runOptions } from "../../../src/cli/run-options-from-flags.ts";
import { fakeProcess } from "./process-io.ts";

/*
 * Every flag and variable of `tilt ci` (ci-engine.md §1): accepted, and means the same here. Variables for Docker, Compose
 * and commands are read where they are used: see test/acceptance.md.
 */

afterEach(() => vi.unstubAllEnvs());

function parse(argv: readonly string[]) {
  const command = addRunFlags(new Command("ci"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse([...argv], { from: "user" });
  const sourceOf = (flag: string) => command.getOptionValueSource(flag);
  return {
    web: webFlagsGiven(sourceOf),
    options: runOptions("ci", command.opts<CiFlags>(), command.args, argv, {
      cwd: "/work",
      given: (flag) => sourceOf(flag) === "cli",
      writeEvent: () => {},
    }),
  };
}

describe("the flags of tilt ci", () => {
  test.each<[string, object]>([
    ["", { tiltfile: "/work/Tiltfile", host: "localhost", args: [] }],
    ["-f ci/Tiltfile", { tiltfile: "/work/ci/Tiltfile" }],
    ["--file=/abs/Tiltfile", { tiltfile: "/abs/Tiltfile" }],
    ["", { policy: { timeoutMs: 1_800_000 }, timeoutGiven: false }],
    ["--timeout 1h30m", { policy: { timeoutMs: 5_400_000 }, timeoutGiven: true }],
    ["--timeout 0", { policy: { timeoutMs: 0 }, timeoutGiven: true }],
    ["--context kind-dev", { cluster: { type: "current", context: "kind-dev" } }],
    ["--namespace team", { namespace: "team" }],
    ["--host 0.0.0.0", { host: "0.0.0.0" }],
    ["--log-level warn", { console: { logLevel: "warn" } }],
    ["--log-level=error", { console: { logLevel: "error" } }],
    ["", { console: { logSource: "all", logResources: [], debug: false } }],
    ["--log-source build", { console: { logSource: "build" } }],
    ["--log-source runtime", { console: { logSource: "runtime" } }],
    ["--log-resource a --log-resource b", { console: { logResources: ["a", "b"] } }],
    ["--log-resource a,b", { console: { logResources: ["a", "b"] } }],
    ["-d", { console: { debug: true } }],
    ["--debug", { console: { debug: true } }],
    ["-v", { console: { debug: true } }],
    ["--verbose", { console: { debug: true } }],
    ["--klog 3", {}],
    ["--logactions", {}],
    ["api web", { args: ["api", "web"] }],
  ])("%s", (argv, expected) => {
    const { options, web } = parse(argv.split(" ").filter(Boolean));
    expect(options).toMatchObject(expected);
    expect(web).toEqual([]);
  });

  test.each([
    "--port=10351",
    "--port=0",
    "--web-mode=prod",
    "--webdev-port=46764",
    "--output-snapshot-on-exit=snapshot.json",
  ])("%s is accepted as one about the web UI", (argument) => {
    expect(parse([argument]).web).toEqual([argument.split("=")[0]]);
  });

  test.each([
    ["--log-level", "loud"],
    ["--log-source", "some"],
    ["--timeout", "soon"],
  ])("%s %s is refused", (...argv) => {
    expect(() => parse(argv)).toThrow(/invalid/);
  });
});

describe("the variables of tilt ci", () => {
  test("TILT_HOST is where port-forwards listen, unless --host says so", () => {
    vi.stubEnv("TILT_HOST", "0.0.0.0");
    expect(parse([]).options.host).toBe("0.0.0.0");
    expect(parse(["--host", "::1"]).options.host).toBe("::1");
  });

  test("TILT_PORT is accepted as one about the web UI", () => {
    vi.stubEnv("TILT_PORT", "10351");
    expect(parse([]).web).toEqual(["TILT_PORT"]);
    expect(parse(["--port", "1"]).web).toEqual(["--port"]);
  });
});

test("tilt-ci ci says once for each that there is no web UI, and goes on", async () => {
  vi.stubEnv("TILT_PORT", "10351");
  const directory = mkdtempSync(join(tmpdir(), "tci-flags-"));
  const io = fakeProcess(directory, { env: { HOME: directory, XDG_STATE_HOME: directory } });
  try {
    expect(await main(["ci", "--web-mode", "prod", "--cluster", "none"], io)).toBe(2);
    for (const name of ["--web-mode", "TILT_PORT"])
      expect(
        io.err().split(`${name} is accepted for compatibility: tilt-ci has no web UI`),
      ).toHaveLength(2);
    expect(io.err()).toContain("No Tiltfile found");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("tilt-ci ci makes nothing of a working directory that is not there", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tci-flags-"));
  const io = fakeProcess(directory, { env: { HOME: directory, XDG_STATE_HOME: directory } });
  try {
    expect(await main(["ci", "--working-directory", "none"], io)).toBe(2);
    expect(io.err()).toContain(`There is no directory ${join(directory, "none")}`);
    expect(existsSync(join(directory, "none"))).toBe(false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
