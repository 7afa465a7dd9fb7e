import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  brokenStacks,
  type EvidenceTimes,
  expectedOf,
  runBrokenStack,
} from "../cluster/broken-stacks.ts";
import { example, tiltCi } from "../cluster/tilt-ci.ts";
import { clusterAvailable } from "../rig/env.ts";

const CLUSTERS = ["broken-1", "broken-2"];

/** As a Markdown table: what docs/performance.md has of it. */
function table(times: ReadonlyMap<string, readonly EvidenceTimes[]>): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const rows = [...times].flatMap(([name, list]) =>
    list.map(
      ({ code, knownMs, exitMs }) =>
        `| ${name} | ${code} | ${seconds(knownMs)} | ${seconds(exitMs)} |`,
    ),
  );
  const head = ["| stack | code | known | exit |", "| --- | --- | ---: | ---: |"];
  return `${[...head, ...rows.sort()].join("\n")}\n`;
}

describe.skipIf(!clusterAvailable())("the corpus of broken stacks", () => {
  const state = mkdtempSync(join(tmpdir(), "tci-broken-"));
  const env = { XDG_STATE_HOME: state };
  const times = new Map<string, readonly EvidenceTimes[]>();

  afterAll(async () => {
    const file = process.env.TILT_CI_EVIDENCE_TABLE;
    if (file) writeFileSync(file, table(times));
    else console.log(table(times));
    for (const cluster of CLUSTERS) {
      const { code, stderr } = await tiltCi("down", [`tci-${cluster}`], {
        cwd: example("hello"),
        env,
      });
      expect(stderr).toBe("");
      expect(code).toBe(0);
    }
    rmSync(state, { recursive: true });
  });

  test("tilt-ci finds the first cause of every one, and all its reports agree", async () => {
    const only = process.env.TILT_CI_BROKEN_ONLY?.split(",");
    const names = brokenStacks().filter((name) => !only || only.includes(name));
    const queue = names.filter((name) => expectedOf(name).cluster !== "none");
    const local = names.filter((name) => !queue.includes(name));
    const wrong: string[] = [];
    const work = async (stacks: string[], cluster: readonly string[]) => {
      for (let name = stacks.shift(); name !== undefined; name = stacks.shift()) {
        const run = await runBrokenStack(name, cluster, env);
        times.set(name, run.times);
        wrong.push(...run.differences.map((line) => `${name}: ${line}`));
        if (run.differences.length > 0) wrong.push(`  see ${run.outcome.reports}`);
      }
    };
    await Promise.all([
      ...CLUSTERS.map((cluster) => work(queue, ["--reuse", cluster])),
      work(local, []),
    ]);
    expect(wrong).toEqual([]);
  });
});
