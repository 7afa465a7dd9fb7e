import { messageOf, RunError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ContainerEngine } from "../container-engine.ts";
import type { BringUpHooks } from "../hooks.ts";
import { ensureImage, imageIdOf } from "../images.ts";
import { type BakedImage, listBaked, mismatchOf, type Wanted } from "./baked-image.ts";
import { readSingleNode } from "./single-node.ts";
import { askMachine, type WarmNode } from "./start-node.ts";

/** A registry that says nothing for so long costs more than a boot by kind. */
const ANSWER_TIMEOUT_MS = 20_000;

/** How a run wants to use baked nodes. */
export interface WarmOptions {
  /** `always` bakes one when there is none. */
  readonly mode: "auto" | "always";
  /** A baked image to pull if it is not on the machine. */
  readonly image?: string | undefined;
  /** Bakes a node for the run's cluster. */
  bake(): Promise<unknown>;
  /** How a user does the same: a command line. */
  readonly bakeCommand: string;
}

export interface ClusterWish {
  /** Ready for `kind create`. */
  readonly configYaml: string;
  readonly nodeImage: string | undefined;
  readonly kindVersion: string;
}

/**
 * The baked node that a cluster can start from; `undefined` when kind has to make it. Why is told once: as a warning
 * where a baked node was asked for or is there, as a hint where one could be made. Throws `EnvironmentError`.
 */
export async function chooseWarm(
  wish: ClusterWish,
  { mode, image, bake, bakeCommand }: WarmOptions,
  engine: ContainerEngine,
  host: Host,
  hooks: BringUpHooks,
  signal: AbortSignal,
): Promise<WarmNode | undefined> {
  const refuse = (reason: string, isNews: boolean) => {
    if (isNews) hooks.onWarning?.(notWarm(reason));
    return undefined;
  };
  const node = readSingleNode(wish.configYaml);
  if (typeof node === "string")
    return refuse(`the kind configuration cannot be baked: ${node}`, mode === "always");
  if (engine.cli !== "docker") return refuse(`nodes are made by ${engine.cli}`, mode === "always");
  const isPulled = image === undefined || (await pulls(image, engine, hooks, signal));
  if (!isPulled) return undefined;
  const nodeImage = wish.nodeImage ?? node.image;
  const find = () => findBaked({ ...wish, inside: node.inside, nodeImage }, engine, signal);
  let baked = await find();
  if (!baked && image !== undefined) return refuse(`${image} is baked for another one`, true);
  if (!baked && mode === "auto") {
    hooks.onHint?.(`The next run can start from a cluster that has already booted: ${bakeCommand}`);
    return undefined;
  }
  const machine = await askMachine(engine, host, signal);
  if (typeof machine === "string") return refuse(machine, true);
  if (!baked) {
    hooks.onLine?.("baking a node first: there is none for this cluster yet");
    try {
      await bake();
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      return refuse(messageOf(error), true);
    }
    baked = await find();
  }
  return baked ? { baked, node, machine } : refuse("the one just baked is gone", true);
}

/** The warning that a run does without the baked node it could have had. */
export function notWarm(reason: string): string {
  return `The cluster does not start from a baked node, kind makes it: ${reason}`;
}

/** Whether the image is there, or was pulled; a warning says why not. */
async function pulls(
  image: string,
  engine: ContainerEngine,
  hooks: BringUpHooks,
  signal: AbortSignal,
): Promise<boolean> {
  const onPull = () => hooks.onLine?.(`pulling ${image}`);
  try {
    const bounds = { signal, answerTimeoutMs: ANSWER_TIMEOUT_MS };
    await ensureImage(image, "--warm-node", engine, { ...bounds, onPull });
    return true;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    hooks.onWarning?.(notWarm(messageOf(error)));
    return false;
  }
}

async function findBaked(
  wanted: Omit<Wanted, "nodeImageId">,
  engine: ContainerEngine,
  signal: AbortSignal,
): Promise<BakedImage | undefined> {
  const { nodeImage } = wanted;
  const [all, nodeImageId] = await Promise.all([
    listBaked(engine, signal),
    nodeImage === undefined ? undefined : imageIdOf(nodeImage, engine, signal),
  ]);
  return all.find((baked) => mismatchOf(baked, { ...wanted, nodeImageId }) === undefined);
}
