import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import {
  formatIdentity,
  identifyProcess,
  listProcesses,
  livenessOf,
  parseIdentity,
  parseProcStat,
  parsePs,
} from "../../../src/cluster/identity.ts";
import { fakeHost, on } from "../../fake-host.ts";

describe("identifyProcess() and livenessOf()", () => {
  test("tell a process from a later one with its number", async () => {
    const host = fakeHost([on(/^ps /, { stdout: "Mon Nov 23 10:00:00 2026\n" })]);
    const child = spawn("sleep", ["60"]);
    const identity = await identifyProcess(child.pid as number, host);
    if (!identity) throw new Error("the child has no identity");
    expect(await livenessOf(identity, host)).toBe("alive");
    expect(await livenessOf({ ...identity, startedAt: "1/other-boot" }, host)).toBe("dead");
    expect(await livenessOf({ ...identity, machine: "elsewhere" }, host)).toBe("unknown");
    child.kill("SIGKILL");
    await once(child, "exit");
    if (process.platform === "linux") expect(await livenessOf(identity, host)).toBe("dead");
  });

  test("ask ps where there is no /proc", async () => {
    const host = fakeHost([on(/^ps -o lstart= -p 7$/, { stdout: "Mon Nov 23 10:00:00 2026\n" })], {
      platform: "darwin",
    });
    expect(await identifyProcess(7, host)).toEqual({
      pid: 7,
      startedAt: "Mon Nov 23 10:00:00 2026",
      machine: hostname(),
    });
    const gone = fakeHost([on(/^ps/, { exitCode: 1 })], { platform: "darwin" });
    expect(await identifyProcess(7, gone)).toBeUndefined();
  });
});

test("formatIdentity() and parseIdentity() are inverse", () => {
  const identity = { pid: 12, startedAt: "345/ab-cd", machine: "host@x" };
  expect(parseIdentity(formatIdentity(identity))).toEqual(identity);
  expect(parseIdentity("12")).toBeUndefined();
});

test("parseProcStat() survives any process name", () => {
  const fields = Array.from({ length: 40 }, (_, i) => String(i + 3)).join(" ");
  expect(parseProcStat(`77 (a) b (c) S 1 70 ${fields}`)).toMatchObject({ state: "S", group: 70 });
  expect(parseProcStat("")).toBeUndefined();
});

test("parsePs() reads pid, group and command", () => {
  expect(parsePs("  12   10 kind create cluster --name tci-a\n")).toEqual([
    { pid: 12, group: 10, argv: ["kind", "create", "cluster", "--name", "tci-a"] },
  ]);
});

test.runIf(process.platform === "linux")("listProcesses() finds this process", async () => {
  const self = (await listProcesses(fakeHost())).find(({ pid }) => pid === process.pid);
  expect(self?.argv[0]).toContain("node");
});
