import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What tests on a real cluster need of this machine. */
export interface RigEnv {
  /** PATH with the rig's kind, kubectl, helm and kustomize first. */
  readonly path: string;
  /** The node image for `kind create cluster --image`. */
  readonly nodeImage: string;
  /** An image of the registry that is present in the local Docker. */
  readonly registryImage: string;
}

const registryImage = "registry:2";

/**
 * The rig as scripts/test.mjs has prepared it; when vitest was started directly, test/rig/up is called now, which may
 * take minutes the first time. Throws when this machine cannot have a rig: ask `clusterAvailable()` first.
 */
export function rigEnv(): RigEnv {
  prepared ??= prepare();
  if (typeof prepared === "string") throw new Error(`There is no rig: ${prepared}`);
  return prepared;
}

/** Whether tests on a real cluster can run: `describe.skipIf(!clusterAvailable())`. */
export function clusterAvailable(): boolean {
  prepared ??= prepare();
  return typeof prepared !== "string";
}

let prepared: RigEnv | string | undefined;

/** The rig, or why there is none. */
function prepare(): RigEnv | string {
  const { PATH = "", TILT_CI_RIG, TILT_CI_RIG_MISSING, TILT_CI_NODE_IMAGE } = process.env;
  if (TILT_CI_RIG_MISSING) return TILT_CI_RIG_MISSING;
  // without the mark, an inherited TILT_CI_NODE_IMAGE is somebody's setting for the program, not the tests' image
  if (TILT_CI_RIG === "ready" && TILT_CI_NODE_IMAGE) {
    return { path: PATH, nodeImage: TILT_CI_NODE_IMAGE, registryImage };
  }
  const up = fileURLToPath(new URL("up", import.meta.url));
  if (!existsSync(up)) return `${up} does not exist`;
  const { status, stdout, error } = spawnSync("bash", [up], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error) return error.message;
  if (status !== 0) return `test/rig/up ended with exit code ${status}, see its message above`;
  const exported = (name: string) => stdout.match(new RegExp(`^export ${name}=(.*)$`, "m"))?.[1];
  const path = exported("PATH")?.replace(/\$PATH$/, PATH) ?? PATH;
  const nodeImage = exported("TILT_CI_NODE_IMAGE");
  if (!nodeImage) return "test/rig/up named no node image";
  return { path, nodeImage, registryImage };
}
