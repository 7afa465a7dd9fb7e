import { clusterAvailable } from "../rig/env.ts";
import { removeShared, standingNodes } from "./tilt-ci.ts";

/** Any file may bring up the cluster that most of them share; after the last one it goes. */
export default function removeSharedAfterTests(): (() => Promise<void>) | undefined {
  if (!clusterAvailable()) return undefined;
  return async () => {
    if (standingNodes() === "") return;
    const { code, stderr } = await removeShared();
    if (code !== 0) throw new Error(`The tests' shared cluster cannot be removed: ${stderr}`);
  };
}
