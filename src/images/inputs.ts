import { createHash } from "node:crypto";
import { relative } from "node:path";
import type { DockerBuild } from "../model/plan.ts";
import { excludedBy, selectContext, selectedEntries } from "./context-filter.ts";

/**
 * A fingerprint of what a build reads from its context: paths, kinds, sizes, times and modes of the files that no
 * filter keeps out. Equal fingerprints mean that building again would find the same files. An empty context (`-`) is
 * always equal; one that cannot be read has a fingerprint of its own.
 */
export async function fingerprintInputs(
  image: DockerBuild,
  excluded: readonly string[],
): Promise<string> {
  if (image.context === "-") return "empty";
  const hash = createHash("sha256");
  try {
    const selection = await selectContext(image.context, image.contextFilters, excluded);
    for await (const { path, type, stats, target } of selectedEntries(selection)) {
      const content = type === "directory" ? "" : `${stats.size} ${stats.mtimeMs}`;
      hash.update(JSON.stringify([path, type, stats.mode, content, target ?? ""]));
    }
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  }
  return hash.digest("hex");
}

/** Which of these files (absolute paths; they need not exist) go into an image's build. */
export async function inputsAmong(image: DockerBuild, files: readonly string[]): Promise<string[]> {
  if (image.context === "-") return [];
  const inside = files
    .map((file) => ({ file, path: relative(image.context, file).replaceAll("\\", "/") }))
    .filter(({ path }) => path !== "" && path !== ".." && !path.startsWith("../"));
  if (inside.length === 0) return [];
  const selection = await selectContext(image.context, image.contextFilters, []);
  return inside
    .filter(({ path }) => excludedBy(selection, path) === undefined)
    .map(({ file }) => file);
}
