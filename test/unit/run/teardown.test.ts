import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRecord, RUN_VARIABLE } from "../../../src/cluster/index.ts";
import { createHost } from "../../../src/host/node-host.ts";
import { createHostWith } from "../../../src/host/with-env.ts";
import type { RunEvent } from "../../../src/model/event.ts";
import type { Session } from "../../../src/run/session.ts";
import { tearDown } from "../../../src/run/teardown.ts";

/** An engine that has nothing, and notes what it was asked and by which run's mark the teardown's hunt would find it. */
const ENGINE = `#!/bin/sh
echo "$1 \${${RUN_VARIABLE}:-unmarked}" >> "$0.log"
`;

test("tearDown() leaves its own commands out of the hunt for the run's processes", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tci-teardown-"));
  try {
    const cli = join(directory, "engine");
    writeFileSync(cli, ENGINE);
    chmodSync(cli, 0o755);
    const outside = createHost({ env: process.env as Record<string, string>, cwd: directory });
    const id = `tci-test-${process.pid}`;
    const record = await openRecord(directory, id, outside);
    await record.add({ type: "container", name: "some-registry", cli });
    const events: RunEvent[] = [];
    const session = {
      info: { id },
      options: { keep: "never", leaveTeardown: false },
      host: createHostWith(outside, { [RUN_VARIABLE]: id }),
      unmarkedHost: outside,
      record,
      temporaryDirectory: join(directory, "tmp"),
      kept: undefined,
      over: new AbortController(),
      hints: [],
      closables: [],
      cleanUps: [],
      connections: [],
      now: () => Date.now(),
      log: { append: (event: RunEvent) => void events.push(event) },
    } as unknown as Session;
    const verdict = { verdict: "passed", exitCode: 0, message: "" } as const;
    expect(await tearDown(session, verdict)).toBe(true);
    expect(readFileSync(`${cli}.log`, "utf8")).toBe("ps unmarked\n");
    expect(events.at(-1)).toMatchObject({ type: "phase-finished", status: "passed" });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** What a run leaves to a teardown that has nothing else to do, in a directory of its own. */
async function tornDown(parts: Partial<Session>): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), "tci-teardown-"));
  const outside = createHost({ env: process.env as Record<string, string>, cwd: directory });
  const id = `tci-test-${process.pid}`;
  const session = {
    info: { id },
    options: { keep: "never", leaveTeardown: false },
    unmarkedHost: outside,
    record: await openRecord(directory, id, outside),
    kept: undefined,
    over: new AbortController(),
    hints: [],
    closables: [],
    cleanUps: [],
    connections: [],
    now: () => Date.now(),
    log: { append: () => {} },
    ...parts,
  } as unknown as Session;
  try {
    return await tearDown(session, { verdict: "passed", exitCode: 0, message: "" });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test.each([
  ["lets kind finish a cluster of --reuse, which the next run finds", true, ["whole", "over"]],
  ["cuts the making of a run's own cluster off", false, ["over"]],
])("tearDown() %s", async (_what, isReused, expected) => {
  const order: string[] = [];
  const over = new AbortController();
  over.signal.addEventListener("abort", () => order.push("over"));
  const settle = async () => void order.push("whole");
  expect(await tornDown({ over, kept: { isReused, settle, describe: async () => "" } })).toBe(true);
  expect(order).toEqual(expected);
});

test("tearDown() ends connections last: logs and clean-ups speak to the API server to their end", async () => {
  const order: string[] = [];
  const closable = (name: string, ms: number) => ({
    name,
    close: async () => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      order.push(name);
    },
  });
  const parts = {
    connections: [closable("connection", 0)],
    cleanUps: [closable("applied objects", 5)],
    closables: [closable("logs", 20), closable("servers", 0)],
  };
  expect(await tornDown(parts)).toBe(true);
  expect(order).toEqual(["servers", "logs", "applied objects", "connection"]);
});
