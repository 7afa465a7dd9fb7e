import { createHash } from "node:crypto";
import { ASSEMBLE_SCRIPT, FREEZE_SCRIPT, START_SCRIPT, STRIP_SCRIPT } from "./scripts.ts";

/** What of a node is the same for every baked node that a run can use, whatever its node image. */
export interface Settings {
  readonly kindVersion: string;
  /** `SingleNode.inside`. */
  readonly inside: string;
}

/** Counted up when what a bake writes down, or what a start does with it, changes beside the scripts. */
const FORMAT = 1;

/** How nodes are baked: another recipe makes every baked node stale. */
export const RECIPE = hash([FORMAT, FREEZE_SCRIPT, STRIP_SCRIPT, ASSEMBLE_SCRIPT, START_SCRIPT]);

/** Of kind's version, the configuration and the recipe. */
export function settingsKey({ kindVersion, inside }: Settings): string {
  return hash([RECIPE, kindVersion, inside]);
}

/** Of all that a baked node was made from. `imageId` is the node image's digest in the container engine. */
export function bakedKey(settings: Settings, imageId: string): string {
  return hash([settingsKey(settings), imageId]);
}

function hash(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}
