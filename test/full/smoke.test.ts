import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { example, removeShared, SHARED, tiltCi } from "../cluster/tilt-ci.ts";
import { clusterAvailable } from "../rig/env.ts";

const directory = mkdtempSync(join(tmpdir(), "tci-smoke-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!clusterAvailable())("tilt-ci smoke", () => {
  afterAll(() => removeShared());

  test("takes at most 15 s for a change of examples/hello on a warm cluster", async () => {
    cpSync(example("hello"), directory, { recursive: true });
    const smoke = () => tiltCi("smoke", SHARED, { cwd: directory });
    await smoke(); // makes the cluster
    // Other programs may hold the processor: the quickest of three shows what smoke itself takes.
    let quickestMs = Number.POSITIVE_INFINITY;
    for (let times = 0; times < 3 && quickestMs >= 15_000; times++) {
      appendFileSync(join(directory, "app.py"), `# ${Date.now()}\n`);
      const { code, stdout, stderr, durationMs, report } = await smoke();
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("nothing was deployed");
      expect(report?.timings.map(({ phase }) => phase)).not.toContain("ready");
      quickestMs = Math.min(quickestMs, durationMs);
    }
    expect(quickestMs).toBeLessThan(15_000);
  });

  test("refuses objects that the API server would refuse, in phase deploy", async () => {
    const bad = mkdtempSync(join(tmpdir(), "tci-smoke-bad-"));
    cpSync(example("hello"), bad, { recursive: true });
    appendFileSync(
      join(bad, "hello.yaml"),
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: wrong}\nspec: {ports: [{port: 123456}]}\n",
    );
    const { code, stderr } = await tiltCi("smoke", SHARED, { cwd: bad });
    rmSync(bad, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(/deploy.*123456/);
  });
});
