import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bakeNode, listNodes } from "../../src/cluster/index.ts";
import { createHost } from "../../src/host/node-host.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { isWarm } from "./warm.ts";

/** With `TILT_CI_TEST_WARM=1`: bakes the tests' node before the first of them, unless there is one, and removes it. */
export default async function bakeBeforeTests(): Promise<(() => Promise<void>) | undefined> {
  if (!isWarm || !clusterAvailable()) return undefined;
  const { path, nodeImage } = rigEnv();
  const host = createHost({ env: { ...process.env, PATH: path }, cwd: process.cwd() });
  const nodes = await listNodes({ nodeImage }, host);
  if (nodes.some(({ mismatch }) => mismatch === undefined)) return undefined;
  const stateDir = mkdtempSync(join(tmpdir(), "tci-bake-"));
  try {
    const { tag } = await bakeNode({ stateDir, nodeImage }, host);
    return async () => void (await host.run(["docker", "image", "rm", "--force", tag]));
  } finally {
    rmSync(stateDir, { recursive: true });
  }
}
