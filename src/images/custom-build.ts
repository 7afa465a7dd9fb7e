import { readFile, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { PhaseFailure } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { CommandOutcome, Host } from "../host/host.ts";
import { parseImageReference, tryParseImageReference } from "../manifests/image-reference.ts";
import { commandTitle } from "../model/command-text.ts";
import type { CustomBuild } from "../model/plan.ts";
import type { BuiltImage } from "./built-image.ts";
import type { Docker, LocalImage } from "./docker.ts";
import { tagContent } from "./docker-build.ts";
import {
  contentTag,
  type ImageNames,
  namesOf,
  type RegistryAddress,
  swapHost,
} from "./image-names.ts";

const TAIL_LINES = 20;

/** What a `custom_build` command is told to make; absent where it tells us (`outputs_image_ref_to`). */
export interface Expectation {
  readonly names: ImageNames;
  /** The reference as the command is given it. */
  readonly ref: string;
}

/** What a `custom_build` has made. */
export interface CustomBuildResult {
  readonly names: ImageNames;
  readonly local?: LocalImage;
}

export interface CustomBuildSettings {
  readonly host: Host;
  readonly docker: Docker;
  readonly env: Readonly<Record<string, string>>;
}

interface Hooks {
  onLine(text: string): void;
  readonly signal: AbortSignal;
}

/** The reference that a command is expected to make (ci-engine.md §7). `now` is epoch milliseconds. */
export function expectationOf(
  { ref, tag, outputsImageRefTo }: CustomBuild,
  registry: RegistryAddress | undefined,
  now: number,
): Expectation | undefined {
  if (outputsImageRefTo !== undefined) return undefined;
  // A tag of the user's own: their command knows nothing of the registry, which is put on afterwards.
  const names =
    tag === undefined
      ? namesOf(ref, `tilt-build-${Math.floor(now / 1000)}`, registry)
      : namesOf(ref, tag, undefined);
  return { names, ref: names.localRef };
}

/** What a command finds in its environment beside what it inherits. Sorted by nothing: in the order of the contract. */
export function customBuildEnvironment(
  { imageDeps }: CustomBuild,
  expectation: Expectation | undefined,
  registry: RegistryAddress | undefined,
  deps: ReadonlyMap<string, BuiltImage>,
): Record<string, string> {
  const env: Record<string, string> = {};
  if (expectation) {
    const { path, tag = "" } = parseImageReference(expectation.ref);
    env.EXPECTED_REF = expectation.ref;
    env.EXPECTED_IMAGE = path;
    env.EXPECTED_TAG = tag;
  }
  if (registry) {
    env.REGISTRY_HOST = registry.host;
    env.EXPECTED_REGISTRY = registry.host;
  }
  imageDeps.forEach((ref, index) => {
    env[`TILT_IMAGE_MAP_${index}`] = imageMapName(ref);
    env[`TILT_IMAGE_${index}`] = deps.get(ref)?.localRef ?? "";
  });
  return env;
}

/** The name of Tilt's API object for an image: its reference as one path segment. */
export function imageMapName(ref: string): string {
  return ref.replace(/[/%]/g, "_");
}

/**
 * Runs a `custom_build` and takes what it made. Throws `PhaseFailure` (BuildFailed) when the command fails or does
 * not leave the image it was to make.
 */
export async function buildCustomImage(
  image: CustomBuild,
  deps: ReadonlyMap<string, BuiltImage>,
  registry: RegistryAddress | undefined,
  settings: CustomBuildSettings,
  hooks: Hooks,
): Promise<CustomBuildResult> {
  const { docker, host } = settings;
  const expectation = expectationOf(image, registry, host.clock.now());
  const output = image.outputsImageRefTo && resolve(image.command.dir, image.outputsImageRefTo);
  if (output) await rm(output, { force: true });
  await tagForCommand(image, deps, docker, hooks.signal);
  const extra = customBuildEnvironment(image, expectation, registry, deps);
  await runCommand(image, extra, settings, hooks);
  const made = expectation ?? (await readOutput(image, output ?? "", registry));
  if (image.skipsLocalDocker) return { names: made.names };
  const found = (await docker.inspect([made.ref], hooks.signal)).get(made.ref);
  if (!found) throw missingImage(image, made.ref);
  const local = await tagContent(image, found.id, docker, hooks.signal);
  // A reference that the command chose is used as it is; all others are named for their content.
  if (!expectation) return { names: made.names, local };
  const names = namesOf(image.ref, contentTag(local.id), registry);
  if (names.localRef !== names.contentRef) {
    await docker.tag(local.id, names.localRef, hooks.signal);
  }
  return { names, local };
}

/** The command looks for its images under the names it is told, in the local Docker. */
async function tagForCommand(
  { imageDeps }: CustomBuild,
  deps: ReadonlyMap<string, BuiltImage>,
  docker: Docker,
  signal: AbortSignal,
): Promise<void> {
  for (const ref of imageDeps) {
    const built = deps.get(ref);
    if (!built?.local || built.localRef === built.contentRef) continue;
    await docker.tag(built.local.id, built.localRef, signal);
  }
}

async function runCommand(
  image: CustomBuild,
  extra: Readonly<Record<string, string>>,
  { host, env }: CustomBuildSettings,
  { onLine, signal }: Hooks,
): Promise<void> {
  const { argv, dir, env: own } = image.command;
  if (!(await isDirectory(dir))) throw failure(image, `its directory "${dir}" does not exist`, []);
  onLine("Custom Build: Injecting Environment Variables");
  for (const [name, value] of Object.entries(extra)) onLine(`  ${name}=${value}`);
  const tail: string[] = [];
  let outcome: CommandOutcome;
  try {
    outcome = await host.run(argv, {
      cwd: dir,
      env: { ...env, ...own, ...extra },
      signal,
      maxBuffer: 0,
      onLine: (line) => {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        onLine(line);
      },
    });
  } catch (error) {
    if (!(error instanceof CommandNotFoundError)) throw error;
    throw failure(image, error.message, tail);
  }
  if (outcome.exitCode === 0) return;
  const reason = outcome.signal ? `ended by ${outcome.signal}` : `exit status ${outcome.exitCode}`;
  throw failure(image, reason, tail);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function failure(image: CustomBuild, reason: string, tail: readonly string[]): PhaseFailure {
  return new PhaseFailure({
    code: "BuildFailed",
    message: `Custom build "${commandTitle(image.command.argv)}" failed: ${reason}`,
    ...(tail.length > 0 ? { detail: tail.join("\n") } : {}),
    object: image.ref,
    position: image.position,
  });
}

function missingImage(image: CustomBuild, ref: string): PhaseFailure {
  return new PhaseFailure({
    code: "BuildFailed",
    message: `Could not find image in Docker: ${ref}`,
    detail: "Did your custom_build script properly tag the image?",
    object: image.ref,
    position: image.position,
    hint: "If your custom_build doesn't use Docker, you might need to use skips_local_docker=True",
  });
}

/** The reference that a command wrote to its file; the cluster sees it under its own name of the registry. */
async function readOutput(
  image: CustomBuild,
  path: string,
  registry: RegistryAddress | undefined,
): Promise<Expectation> {
  const bad = (reason: string) =>
    new PhaseFailure({
      code: "BuildFailed",
      message: `Custom build of "${image.ref}": outputs_image_ref_to ${reason}`,
      object: image.ref,
      position: image.position,
    });
  const text = await readFile(path, "utf8").catch(() => {
    throw bad(`was not written: ${path}`);
  });
  const ref = text.trim();
  const reference = tryParseImageReference(ref);
  if (!reference) throw bad(`holds no image reference: "${ref}"`);
  if (reference.tag === undefined) throw bad(`must hold a reference with a tag: "${ref}"`);
  const clusterRef = registry
    ? swapHost(ref, registry.host, registry.hostFromContainerRuntime)
    : ref;
  return { ref, names: { contentRef: ref, localRef: ref, clusterRef } };
}
