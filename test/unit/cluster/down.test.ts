import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { down, selects } from "../../../src/cluster/down.ts";
import { formatIdentity } from "../../../src/cluster/identity.ts";
import { listRecords, type Owned, openRecord } from "../../../src/cluster/record.ts";
import { fakeHost, on } from "../../fake-host.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tci-down-"));
});
afterEach(() => rm(dir, { recursive: true }));

const cli = "docker";
const cluster: Owned = { type: "cluster", name: "tci-dev", cli };
const hour = 3_600_000;

describe("selects()", () => {
  const record = { run: "tci-a", startedAt: 0, entries: [cluster] };
  const kept = { ...record, entries: [cluster, { type: "kept" } as const] };
  test.each([
    ["every run without options", record, {}, true],
    ["no kept run without options", kept, {}, false],
    ["a kept run with --all", kept, { all: true }, true],
    ["a kept run by its id", kept, { run: "tci-a" }, true],
    ["a run by its cluster", record, { run: "tci-dev" }, true],
    ["no other run", record, { run: "tci-b" }, false],
    ["an old run", kept, { olderThanMs: hour }, true],
    ["no young run", record, { olderThanMs: 3 * hour }, false],
    ["no young run by name either", record, { run: "tci-a", olderThanMs: 3 * hour }, false],
  ])("means %s", (_, given, options, expected) => {
    expect(selects(given, options, 2 * hour)).toBe(expected);
  });
});

describe("down()", () => {
  test("leaves runs alone whose process lives", async () => {
    await (await openRecord(dir, "tci-a", fakeHost())).add(cluster);
    // the record's owner is this test's process, which down() takes for itself: so it lends it another's pid
    const { entries, path } = (await listRecords(dir))[0]!;
    expect(entries).toEqual([cluster]);
    const owner = { pid: 1, startedAt: "x", machine: "another-machine" };
    await writeFile(path, `${JSON.stringify({ version: 1, run: "tci-a", startedAt: 1, owner })}\n`);
    const result = await down({ stateDir: dir }, fakeHost());
    expect(result.removed).toEqual([]);
    expect(result.refused).toEqual([
      { run: "tci-a", reason: "It belongs to another-machine, from where only --force takes it" },
    ]);
    expect((await down({ stateDir: dir, force: true }, fakeHost())).removed).toEqual(["tci-a"]);
  });

  test("finds by their labels what no record knows, of dead runs only", async () => {
    const dead = formatIdentity({ pid: 999_999_999, startedAt: "1/x", machine: hostname() });
    const far = formatIdentity({ pid: 5, startedAt: "1/x", machine: "elsewhere" });
    let removed = false;
    const host = fakeHost([
      on(/^docker ps .*label=dev.tilt-ci.run /, {
        stdout: `tci-aaaaaaaa-registry\ttci-aaaaaaaa\t${dead}\ntci-bbbbbbbb-registry\ttci-bbbbbbbb\t${far}\n`,
      }),
      on(/^docker ps .*label=io.x-k8s.kind.cluster /, {
        stdout: "tci-aaaaaaaa\nsomebodys\ntci-cccccccc\n",
      }),
      on(/^docker ps .*cluster=tci-aaaaaaaa/, () => ({ stdout: removed ? "" : "node-a\n" })),
      on(/^docker ps/, {}),
      on(/^docker rm --force --volumes node-a$/, () => {
        removed = true;
        return {};
      }),
      on(/^docker volume rm/, {}),
      on(/^docker network inspect/, { exitCode: 1, stderr: "network kind not found\n" }),
    ]);
    const result = await down({ stateDir: dir, all: true }, host);
    expect(result.removed).toEqual(["tci-aaaaaaaa", "tci-cccccccc"]);
    expect(result.refused).toEqual([
      {
        run: "tci-bbbbbbbb",
        reason: "It belongs to elsewhere, from where only --force takes it",
      },
    ]);
    expect(await listRecords(dir)).toEqual([]);
  });

  test("leaves a reused cluster alone that a run with another state directory works on", async () => {
    const dead = formatIdentity({ pid: 999_999_999, startedAt: "1/x", machine: hostname() });
    const labels = `tci-dev-registry\ttci-aaaaaaaa\t${dead}\n`;
    const rules = [
      on(/^ps /, { stdout: "  7  7 node /x/cli.cjs ci --reuse dev\n" }),
      on(/^docker ps .*label=dev.tilt-ci.run /, { stdout: labels }),
      on(/^docker (ps|rm|volume)/, {}),
      on(/^docker network inspect/, { exitCode: 1, stderr: "network kind not found\n" }),
    ];
    const host = () => fakeHost(rules, { platform: "darwin" });
    expect(await down({ stateDir: dir, all: true }, host())).toMatchObject({
      removed: [],
      refused: [
        { run: "tci-dev", reason: "Process 7 is using it: --force removes it all the same" },
      ],
    });
    const forced = await down({ stateDir: dir, all: true, force: true }, host());
    expect(forced).toMatchObject({ removed: ["tci-dev"], refused: [] });
  });

  test("has nothing to do for a run by name where no engine is installed", async () => {
    const host = fakeHost([on(/^docker/, { notFound: true })]);
    const nothing = { removed: [], refused: [], failures: [] };
    expect(await down({ stateDir: dir, run: "tci-a" }, host)).toMatchObject(nothing);
  });

  test("asks the engine nothing when there is no record", async () => {
    const host = fakeHost([]);
    expect(await down({ stateDir: dir }, host)).toMatchObject({ removed: [], failures: [] });
    expect(host.commands).toEqual([]);
  });
});
