import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { identifyProcess } from "../../../src/cluster/identity.ts";
import {
  createsCluster,
  endProcesses,
  RUN_VARIABLE,
  worksOn,
} from "../../../src/cluster/processes.ts";
import { createHost } from "../../../src/host/node-host.ts";

const host = createHost({ env: process.env, cwd: process.cwd() });
const sleeper = (env: NodeJS.ProcessEnv = {}, command = "sleep 60") =>
  spawn("sh", ["-c", command], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, ...env },
  });

describe.runIf(process.platform === "linux")("endProcesses()", () => {
  test("ends who carries the run's mark, and who is on record, and nobody else", async () => {
    const marked = sleeper({ [RUN_VARIABLE]: "tci-mark0001" });
    const recorded = sleeper();
    const stranger = sleeper({ [RUN_VARIABLE]: "tci-mark0002" });
    const leader = await identifyProcess(recorded.pid as number, host);
    if (!leader) throw new Error("the child has no identity");
    const startedAt = leader.startedAt.replace(/^\d+/, "1");
    const reused = { ...leader, pid: stranger.pid as number, startedAt };
    const ends = Promise.all([once(marked, "exit"), once(recorded, "exit")]);
    const run = "tci-mark0001";
    expect(await endProcesses({ run, leaders: [leader, reused], clusters: [] }, host)).toBe(2);
    await ends;
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(await endProcesses({ run, leaders: [leader], clusters: [] }, host)).toBe(0);
    stranger.kill("SIGKILL");
  });

  test("kills who ignores SIGTERM", async () => {
    const deaf = sleeper(
      { [RUN_VARIABLE]: "tci-mark0003" },
      "trap '' TERM; while :; do sleep 0.1; done",
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    const end = once(deaf, "exit");
    await endProcesses({ run: "tci-mark0003", leaders: [], clusters: [] }, host);
    expect(await end).toEqual([null, "SIGKILL"]);
  });
});

test("createsCluster() knows a kind create of our cluster, whatever its path", () => {
  const argv = (line: string) => ({ pid: 1, group: 1, argv: line.split(" ") });
  const is = (line: string) => createsCluster(argv(line), ["tci-a"]);
  expect(is("/usr/bin/kind create cluster --name tci-a --config -")).toBe(true);
  expect(is("kind create cluster --name tci-b")).toBe(false);
  expect(is("kind delete cluster --name tci-a")).toBe(false);
  expect(is("vim create cluster --name tci-a")).toBe(false);
  expect(is("kind create cluster")).toBe(false);
});

test.each([
  ["tilt-ci ci --reuse dev", "tci-dev", true],
  ["node /x/dist/cli.cjs ci --reuse=dev --quiet", "tci-dev", true],
  ["node --inspect /x/cli.cjs ci --reuse tci-dev", "tci-dev", true],
  ["node /x/cli.cjs smoke", "tci-smoke", true],
  ["node /x/cli.cjs smoke --reuse dev", "tci-smoke", false],
  ["node /x/cli.cjs ci --reuse other", "tci-dev", false],
  ["node /x/cli.cjs ci smoke", "tci-smoke", false],
  ["node /x/cli.cjs down dev", "tci-dev", false],
  ["grep -- --reuse dev", "tci-dev", false],
])("worksOn(): %s on %s: %s", (command, cluster, expected) => {
  expect(worksOn({ pid: 1, group: 1, argv: command.split(" ") }, cluster)).toBe(expected);
});
