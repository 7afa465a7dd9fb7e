import type { ContainerEngine } from "../container-engine.ts";
import { bakedKey, RECIPE, type Settings, settingsKey } from "./baked-key.ts";

const LABEL = "dev.tilt-ci.baked-node";
const ANSWER_TIMEOUT_MS = 30_000;

/** A node image that a bake made, as the container engine has it. */
export interface BakedImage {
  /** The engine's id of the image. */
  readonly id: string;
  /** Its tags; none when another image has taken them. */
  readonly tags: readonly string[];
  readonly key: string;
  readonly settings: string;
  readonly recipe: string;
  readonly kindVersion: string;
  /** The node image as it was asked for; empty: kind's own. */
  readonly nodeImage: string;
  readonly nodeImageId: string;
  readonly with: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly sizeBytes: number;
}

/** What a run wants of a baked node. */
export interface Wanted extends Settings {
  /** The node image as it is asked for; `undefined`: kind's own. */
  readonly nodeImage: string | undefined;
  /** Its id in the engine; `undefined` when it is not on this machine. */
  readonly nodeImageId: string | undefined;
}

/** The labels of a baked image. */
export function labelsOf(
  wanted: Wanted & { readonly nodeImageId: string },
  withImages: readonly string[],
): Readonly<Record<string, string>> {
  return {
    [LABEL]: bakedKey(wanted, wanted.nodeImageId),
    [`${LABEL}.settings`]: settingsKey(wanted),
    [`${LABEL}.recipe`]: RECIPE,
    [`${LABEL}.kind`]: wanted.kindVersion,
    [`${LABEL}.image`]: wanted.nodeImage ?? "",
    [`${LABEL}.image-id`]: wanted.nodeImageId,
    [`${LABEL}.with`]: withImages.join(" "),
  };
}

/** All baked images on this machine, newest first. Throws `EnvironmentError`. */
export async function listBaked(
  engine: ContainerEngine,
  signal?: AbortSignal,
): Promise<readonly BakedImage[]> {
  const bounds = { timeoutMs: ANSWER_TIMEOUT_MS, signal };
  const text = await engine.must(
    "Cannot list baked nodes",
    ["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", `label=${LABEL}`],
    bounds,
  );
  const ids = [...new Set(text.split("\n").filter((line) => line !== ""))];
  if (ids.length === 0) return [];
  // one that is removed meanwhile is in no answer, and no reason to fail
  const { stdout } = await engine.run(["image", "inspect", ...ids], {
    ...bounds,
    maxBuffer: 16 << 20,
  });
  return parseBaked(stdout);
}

interface Inspected {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Created: string;
  readonly Size: number;
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null };
}

/** The output of `docker image inspect`, newest first. */
export function parseBaked(json: string): readonly BakedImage[] {
  return (JSON.parse(json || "[]") as readonly Inspected[])
    .flatMap(({ Id, RepoTags, Created, Size, Config }): BakedImage[] => {
      const labels = Config?.Labels ?? {};
      const label = (name: string) => labels[`${LABEL}.${name}`] ?? "";
      const key = labels[LABEL];
      if (!key) return [];
      return [
        {
          id: Id,
          tags: RepoTags ?? [],
          key,
          settings: label("settings"),
          recipe: label("recipe"),
          kindVersion: label("kind"),
          nodeImage: label("image"),
          nodeImageId: label("image-id"),
          with: label("with").split(" ").filter(Boolean),
          createdAt: Created,
          sizeBytes: Size,
        },
      ];
    })
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

/** Why a run cannot start from this baked image, as a clause; `undefined` when it can. */
export function mismatchOf(baked: BakedImage, wanted: Wanted): string | undefined {
  if (baked.recipe !== RECIPE) return "it was baked by another version of tilt-ci";
  if (baked.kindVersion !== wanted.kindVersion)
    return `it was baked with kind ${baked.kindVersion}, here is ${wanted.kindVersion}`;
  if (baked.settings !== settingsKey(wanted)) return "it has another kind configuration";
  if (wanted.nodeImage === undefined)
    return baked.nodeImage === "" ? undefined : `its node image is ${baked.nodeImage}`;
  // where the node image itself need not be, as in CI that pulls the baked one instead, its name has to do
  const isSame =
    wanted.nodeImageId === undefined
      ? baked.nodeImage === wanted.nodeImage
      : baked.nodeImageId === wanted.nodeImageId;
  return isSame ? undefined : `its node image is ${baked.nodeImage || "kind's own"}`;
}
