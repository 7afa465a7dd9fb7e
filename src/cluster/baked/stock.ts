import type { Host } from "../../host/host.ts";
import { type ContainerEngine, containerEngine } from "../container-engine.ts";
import { imageIdOf, nodeImageOf } from "../images.ts";
import { readKindConfig } from "../kind-config.ts";
import { checkKind } from "../kind-version.ts";
import { errorLine } from "../symptoms.ts";
import { type BakedImage, listBaked, mismatchOf, type Wanted } from "./baked-image.ts";
import { RECIPE } from "./baked-key.ts";
import { readSingleNode } from "./single-node.ts";

const REMOVE_TIMEOUT_MS = 60_000;

/** The cluster that baked nodes are held against. */
export interface StockOptions {
  readonly nodeImage?: string | undefined;
  readonly kubernetesVersion?: string | undefined;
  readonly kindConfigFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A baked node, and why a cluster cannot start from it (`undefined`: it can). */
export interface NodeRow extends BakedImage {
  readonly mismatch: string | undefined;
}

/** The baked nodes of this machine, newest first. Throws `EnvironmentError`, `UsageError`. */
export async function listNodes(options: StockOptions, host: Host): Promise<readonly NodeRow[]> {
  const engine = containerEngine(host);
  const [config, kindVersion, all] = await Promise.all([
    readKindConfig(options.kindConfigFile),
    checkKind(host, options.signal),
    listBaked(engine, options.signal),
  ]);
  const node = readSingleNode(config.yaml);
  if (typeof node === "string") return all.map((baked) => ({ ...baked, mismatch: node }));
  const { nodeImage: given, kubernetesVersion: version, signal } = options;
  const nodeImage = given ?? (version ? await nodeImageOf(version, engine, signal) : node.image);
  const nodeImageId = nodeImage ? await imageIdOf(nodeImage, engine, signal) : undefined;
  const wanted: Wanted = { kindVersion, inside: node.inside, nodeImage, nodeImageId };
  return all.map((baked) => ({ ...baked, mismatch: mismatchOf(baked, wanted) }));
}

export interface Pruned {
  readonly removed: readonly { readonly name: string; readonly reason: string }[];
  readonly failures: readonly string[];
}

/**
 * Removes baked nodes that no run of this tilt-ci with this kind can use any more, or, with `all`, every one.
 * Throws `EnvironmentError`.
 */
export async function pruneNodes(
  { all, signal }: { readonly all: boolean; readonly signal?: AbortSignal | undefined },
  host: Host,
): Promise<Pruned> {
  const engine = containerEngine(host);
  const [kindVersion, images] = await Promise.all([
    checkKind(host, signal),
    listBaked(engine, signal),
  ]);
  const removed: { name: string; reason: string }[] = [];
  const failures: string[] = [];
  for (const [index, image] of images.entries()) {
    const newer = images.slice(0, index);
    const reason = all
      ? "all are removed"
      : staleness(image, newer, { kindVersion, present: await presentId(image, engine, signal) });
    if (!reason) continue;
    const name = image.tags[0] ?? image.key;
    const outcome = await engine.run(["image", "rm", "--force", image.id], {
      timeoutMs: REMOVE_TIMEOUT_MS,
      signal,
    });
    if (outcome.exitCode === 0) removed.push({ name, reason });
    else if (!/No such image/.test(outcome.stderr))
      failures.push(`Cannot remove ${name}: ${errorLine(outcome)}`);
  }
  return { removed, failures };
}

/** The id that the node image's name stands for here, if it does. */
async function presentId(
  { nodeImage }: BakedImage,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  return nodeImage === "" ? undefined : imageIdOf(nodeImage, engine, signal);
}

/** Why no run can use a baked node any more, as a clause. */
export function staleness(
  image: BakedImage,
  newer: readonly BakedImage[],
  here: { readonly kindVersion: string; readonly present: string | undefined },
): string | undefined {
  if (image.recipe !== RECIPE) return "it was baked by another version of tilt-ci";
  if (image.kindVersion !== here.kindVersion)
    return `it was baked with kind ${image.kindVersion}, here is ${here.kindVersion}`;
  if (here.present !== undefined && here.present !== image.nodeImageId)
    return `${image.nodeImage} is another image now`;
  if (newer.some(({ key }) => key === image.key)) return "a newer one has taken its place";
  return undefined;
}
