import { createHash } from "node:crypto";
import {
  ASSEMBLE_SCRIPT,
  FREEZE_SCRIPT,
  REST_SCRIPT,
  START_SCRIPT,
  STRIP_SCRIPT,
} from "./scripts.ts";

/** What of a node is the same for every baked node that a run can use, whatever its node image. */
export interface Settings {
  readonly kindVersion: string;
  /** `SingleNode.inside`. */
  readonly inside: string;
}

/**
 * Digest of the sources that a bake and a start from it must agree on. `test/unit/cluster/baked/recipe.test.ts` knows
 * which these are, and says what to write here when one has changed. (A bundle has no sources to look at.)
 */
export const RECIPE_SOURCES = "275140172ca9";

/** How nodes are baked: another recipe makes every baked node stale. */
export const RECIPE = hash([
  RECIPE_SOURCES,
  ...[REST_SCRIPT, FREEZE_SCRIPT, STRIP_SCRIPT, ASSEMBLE_SCRIPT, START_SCRIPT],
]);

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
