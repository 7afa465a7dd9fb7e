import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError, messageOf, PhaseFailure } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { DockerBuild } from "../model/plan.ts";
import { type BuildSurroundings, buildxArgv, classicArgv } from "./build-argv.ts";
import { namedContextsFor, pullBases, rewrittenDockerfile } from "./build-bases.ts";
import { type BuildError, BuildProgress, type BuildStep } from "./build-progress.ts";
import type { BuiltImage } from "./built-image.ts";
import { cacheOptionFor } from "./cache-options.ts";
import {
  type ContextSelection,
  excludedBy,
  ignoreLines,
  selectContext,
  selectedEntries,
} from "./context-filter.ts";
import { tarContext } from "./context-tar.ts";
import type { Docker, LocalImage } from "./docker.ts";
import { IgnorePatternError } from "./dockerignore.ts";
import { contentTag, namesOf } from "./image-names.ts";
import { InfrastructureError, isInfrastructureText, isUnknownHost } from "./infrastructure.ts";

/** What builds of a run have in common. */
export interface DockerBuildSettings {
  readonly host: Host;
  readonly docker: Docker;
  readonly env: Readonly<Record<string, string>>;
  readonly builder?: string | undefined;
  readonly cacheTo: readonly string[];
  readonly cacheFrom: readonly string[];
  /** Of images that do not say; Docker's own when absent. */
  readonly platform?: string | undefined;
  /** Absolute paths that never enter a context. */
  readonly excludeFromContexts: readonly string[];
  /** Where files for builders are put. */
  readonly temporaryDirectory: string;
}

export interface BuildHooks {
  onLine(text: string): void;
  onStep(step: BuildStep): void;
  readonly signal: AbortSignal;
}

/** What a `docker_build` left in the local Docker. */
export interface DockerBuildResult {
  readonly local: LocalImage;
  readonly cached: boolean;
}

/** The name of the Dockerfile in an archive: one that no `COPY` of the user's names. */
const ARCHIVED_DOCKERFILE = ".tilt-ci.Dockerfile";
const IGNORE_FILE = ".dockerignore";

/**
 * Builds an image once and tags it by its content. Throws `PhaseFailure` (BuildFailed) when the user's build fails,
 * `InfrastructureError` when what it stands on does.
 */
export async function buildDockerImage(
  image: DockerBuild,
  deps: ReadonlyMap<string, BuiltImage>,
  settings: DockerBuildSettings,
  hooks: BuildHooks,
): Promise<DockerBuildResult> {
  await mkdir(settings.temporaryDirectory, { recursive: true });
  const scratch = await mkdtemp(join(settings.temporaryDirectory, "build-"));
  try {
    return await buildIn(scratch, image, deps, settings, hooks);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function buildIn(
  scratch: string,
  image: DockerBuild,
  deps: ReadonlyMap<string, BuiltImage>,
  settings: DockerBuildSettings,
  hooks: BuildHooks,
): Promise<DockerBuildResult> {
  const { docker } = settings;
  const { signal } = hooks;
  const [builder, info] = await Promise.all([docker.builder(signal), docker.info(signal)]);
  const dockerfile = rewrittenDockerfile(image, deps);
  const skipPull = await pullBases(image, deps, docker, hooks);
  const namedContexts = builder.sharesStore
    ? []
    : await namedContextsFor([...deps.values()], scratch, docker, signal);
  const around: BuildSurroundings = {
    context: image.context,
    dockerfile: join(scratch, "Dockerfile"),
    iidFile: join(scratch, "iid"),
    builder: settings.builder,
    load: !builder.sharesStore,
    platform: image.platform ?? (settings.env.DOCKER_DEFAULT_PLATFORM || settings.platform),
    namedContexts,
    cacheTo: settings.cacheTo.map((option) => cacheOptionFor(option, image.ref)),
    cacheFrom: settings.cacheFrom.map((option) => cacheOptionFor(option, image.ref)),
    skipPull,
  };
  // What such stores call an image's id is not what builders report, so it is looked up by a name of its own.
  const byName = info.containerdStore || !builder.sharesStore;
  const name = byName
    ? namesOf(image.ref, `tilt-build-${randomSuffix()}`, undefined).contentRef
    : undefined;
  const tagged = name ? { ...image, extraTags: [...image.extraTags, name] } : image;
  const command =
    builder.kind === "buildx"
      ? await buildxCommand(scratch, tagged, around, dockerfile, settings)
      : await classicCommand(tagged, around, dockerfile, settings);
  const cached = await runBuild(command, image, settings, hooks);
  const id = name ?? (await readFile(around.iidFile, "utf8")).trim();
  const local = await tagContent(image, id, docker, signal);
  if (name) await docker.untag([name], signal);
  return { local, cached };
}

interface BuildCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input?: () => AsyncIterable<Uint8Array>;
}

/** BuildKit takes the directory itself: it asks for the files it needs and, the next time, for those that changed. */
async function buildxCommand(
  scratch: string,
  image: DockerBuild,
  around: BuildSurroundings,
  dockerfile: string,
  { env, excludeFromContexts }: DockerBuildSettings,
): Promise<BuildCommand> {
  await writeFile(around.dockerfile, dockerfile);
  let context = image.context;
  if (context === "-") {
    context = join(scratch, "empty");
    await mkdir(context);
  } else {
    const lines = await ignoredBy(image, excludeFromContexts);
    // A file of this name wins over the context's own `.dockerignore`, but only if something is in it.
    const text = ["# what this build leaves out", ...lines].join("\n");
    await writeFile(`${around.dockerfile}.dockerignore`, `${text}\n`);
  }
  // A buildx that is killed leaves files in its temporary directory.
  return { argv: buildxArgv(image, { ...around, context }), env: { ...env, TMPDIR: scratch } };
}

async function ignoredBy(image: DockerBuild, never: readonly string[]): Promise<string[]> {
  try {
    return await ignoreLines(await selectContext(image.context, image.contextFilters, never));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Bad patterns, and directories that cannot be read.
    if (!(error instanceof IgnorePatternError) && code === undefined) throw error;
    throw new PhaseFailure({
      code: "BuildFailed",
      message: `Image "${image.ref}": cannot read the build context: ${messageOf(error)}`,
      object: image.ref,
      position: image.position,
    });
  }
}

/** The classic builder gets an archive with what the filters leave and the Dockerfile. */
async function classicCommand(
  image: DockerBuild,
  around: BuildSurroundings,
  dockerfile: string,
  { env, excludeFromContexts }: DockerBuildSettings,
): Promise<BuildCommand> {
  if (image.ssh.length + image.secret.length > 0) {
    throw new EnvironmentError(`Cannot build "${image.ref}": ssh and secret need BuildKit`, {
      hint: "Install the buildx plugin of Docker and leave DOCKER_BUILDKIT unset",
    });
  }
  const selection =
    image.context === "-"
      ? undefined
      : await selectContext(image.context, image.contextFilters, excludeFromContexts);
  const extra = [
    { path: ARCHIVED_DOCKERFILE, contents: dockerfile },
    { path: IGNORE_FILE, contents: await archivedIgnoreFile(image.context, selection) },
  ];
  return {
    argv: classicArgv(image, { ...around, context: "-", dockerfile: ARCHIVED_DOCKERFILE }),
    env: { ...env, DOCKER_BUILDKIT: "0" },
    input: () => tarContext(selection ? selectedEntries(selection) : nothing(), extra),
  };
}

/** The daemon takes from the context what this file names: the Dockerfile, which no `COPY . .` shall find. */
async function archivedIgnoreFile(
  context: string,
  selection: ContextSelection | undefined,
): Promise<string> {
  const own = selection && !excludedBy(selection, IGNORE_FILE);
  const text = own
    ? await readFile(join(context, IGNORE_FILE), "utf8").catch(() => undefined)
    : undefined;
  return text === undefined
    ? `${ARCHIVED_DOCKERFILE}\n${IGNORE_FILE}\n`
    : `${text}\n${ARCHIVED_DOCKERFILE}\n`;
}

async function* nothing(): AsyncGenerator<never> {}

/** Runs the builder; whether all came from its cache. */
async function runBuild(
  { argv, env, input }: BuildCommand,
  image: DockerBuild,
  { host, docker, excludeFromContexts }: DockerBuildSettings,
  { onLine, onStep, signal }: BuildHooks,
): Promise<boolean> {
  const progress = new BuildProgress(host.clock.now, onStep);
  const outcome = await docker.run(argv.slice(1), {
    env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1", ...env, NO_COLOR: "1" },
    signal,
    maxBuffer: 0,
    ...(input ? { input: input() } : {}),
    onLine: (line) => {
      progress.add(line);
      if (line !== "") onLine(line); // BuildKit parts its steps by empty lines
    },
  });
  if (outcome.exitCode === 0) return progress.cached;
  const error = progress.error();
  if (!error.stepFailed && isInfrastructureText(error.cause)) {
    const lasting = isUnknownHost(error.cause)
      ? await buildFailure(image, error, excludeFromContexts)
      : undefined;
    throw new InfrastructureError(error.message, { detail: error.detail, lasting });
  }
  throw await buildFailure(image, error, excludeFromContexts);
}

async function buildFailure(
  image: DockerBuild,
  { message, detail, line }: BuildError,
  excludeFromContexts: readonly string[],
): Promise<PhaseFailure> {
  const hint = await hintFor(image, message, excludeFromContexts);
  return new PhaseFailure({
    code: "BuildFailed",
    message: `Image "${image.ref}": ${message}`,
    detail,
    object: image.ref,
    position:
      image.dockerfile && line ? { file: image.dockerfile, line, column: 1 } : image.position,
    ...(hint ? { hint } : {}),
  });
}

/** `COPY` of a file that is there but filtered out looks like one that is missing. */
async function hintFor(
  image: DockerBuild,
  message: string,
  excludeFromContexts: readonly string[],
): Promise<string | undefined> {
  const missing = /"\/?([^"]+)": not found/.exec(message)?.[1];
  if (missing !== undefined && image.context !== "-") {
    const selection = await selectContext(image.context, image.contextFilters, excludeFromContexts);
    const source = excludedBy(selection, missing);
    if (source) return `"${missing}" is left out of the build context by ${source}`;
  }
  if (/cache export is not supported/i.test(message)) {
    return "A build cache (--cache, --cache-to) needs another builder (docker buildx create --use) or Docker's containerd image store";
  }
  if (/pull access denied|insufficient_scope|repository does not exist/i.test(message)) {
    return "Check the image's name, or log in to its registry with docker login";
  }
  if (isUnknownHost(message)) {
    return "Is the name of the base image's registry right? An image that is in the local Docker needs no registry";
  }
  return undefined;
}

/** Names an image (by id or name) for its content and gives what Docker knows of it. */
export async function tagContent(
  image: { readonly ref: string },
  id: string,
  docker: Docker,
  signal: AbortSignal,
): Promise<LocalImage> {
  const local = (await docker.inspect([id], signal)).get(id);
  if (!local)
    throw new InfrastructureError(`Docker does not know the image ${id} it has just built`);
  const { contentRef } = namesOf(image.ref, contentTag(local.id), undefined);
  await docker.tag(local.id, contentRef, signal);
  return local;
}

function randomSuffix(): string {
  return Math.random().toString(36).slice(2, 10);
}
