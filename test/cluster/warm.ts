import { bakeNode, type WarmOptions } from "../../src/cluster/index.ts";
import type { Host } from "../../src/host/host.ts";

/** `TILT_CI_TEST_WARM=1` runs the cluster tests on baked nodes; without it a node that a developer baked is not used. */
export const isWarm = process.env.TILT_CI_TEST_WARM === "1";

/** Whether a run's output says that a baked node was asked for in vain: its test would have shown nothing. */
export function isColdAfterAll(output: string): boolean {
  return isWarm && output.includes("does not start from a baked node");
}

/** The flag for the program. */
export const WARM_FLAG = ["--warm", isWarm ? "always" : "never"] as const;

/** The option for `startKindCluster()`. */
export function warmOption(
  host: Host,
  stateDir: string,
  nodeImage: string,
): WarmOptions | undefined {
  if (!isWarm) return undefined;
  const bake = () => bakeNode({ stateDir, nodeImage }, host);
  return { mode: "always", bake, bakeCommand: "tilt-ci node bake" };
}
