import { describe, expect, test } from "vitest";
import { chaos } from "../chaos/chaos.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { buildStubNode } from "../stub-node/build.ts";

const SEED = 2026;

describe.skipIf(!clusterAvailable())("chaos", () => {
  test("200 runs on the stub node leave nothing and tell the truth", async () => {
    const { path } = rigEnv();
    process.env.PATH = path;
    const ground = { path, nodeImage: buildStubNode("ok") };
    const { failures } = await chaos(ground, { runs: 200, seed: SEED, durationMs: 7_000 });
    expect(failures).toEqual([]);
  });
});
