import type { DockerBuild } from "../model/plan.ts";

/** Labels that Tilt puts on what it builds: its garbage collection looks for them. */
const LABELS = ["dev.tilt.built=true", "dev.tilt.gc=true"];

/** Where a build's files are, and what the run asks for beside the image's own parameters. */
export interface BuildSurroundings {
  /** Directory to build in, or `-` for a tar archive on stdin. */
  readonly context: string;
  readonly dockerfile: string;
  /** The builder writes the image's id here. */
  readonly iidFile: string;
  readonly builder?: string | undefined;
  /** The builder is not the daemon's own: its result must be loaded into Docker. */
  readonly load: boolean;
  readonly platform?: string | undefined;
  /** `name=source`: images that a builder without access to Docker's store is given. */
  readonly namedContexts: readonly string[];
  readonly cacheTo: readonly string[];
  readonly cacheFrom: readonly string[];
  /** The bases are there already: a pull would look for this run's own images in a registry. */
  readonly skipPull: boolean;
}

/** Arguments of `docker buildx build` for one image. */
export function buildxArgv(image: DockerBuild, around: BuildSurroundings): string[] {
  return [
    ...["docker", "buildx", "build", "--progress=plain"],
    ...option("--builder", around.builder),
    ...["--file", around.dockerfile, "--iidfile", around.iidFile],
    ...(around.load ? ["--load"] : []),
    ...sharedOptions(image, around),
    ...options("--ssh", image.ssh),
    ...options("--secret", image.secret),
    ...options("--build-context", around.namedContexts),
    ...options("--cache-from", [...image.cacheFrom, ...around.cacheFrom]),
    ...options("--cache-to", around.cacheTo),
    around.context,
  ];
}

/** Arguments of `docker build` with the classic builder, which has neither `ssh` and `secret` nor cache export. */
export function classicArgv(image: DockerBuild, around: BuildSurroundings): string[] {
  return [
    ...["docker", "build", "--file", around.dockerfile, "--iidfile", around.iidFile],
    ...sharedOptions(image, around),
    ...options("--cache-from", image.cacheFrom),
    around.context,
  ];
}

function sharedOptions(image: DockerBuild, { platform, skipPull }: BuildSurroundings): string[] {
  return [
    ...options("--label", LABELS),
    ...options("--tag", image.extraTags),
    ...Object.entries(image.buildArgs)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => ["--build-arg", value === "" ? name : `${name}=${value}`]),
    ...option("--target", image.target),
    ...option("--platform", platform),
    ...option("--network", image.network),
    ...options("--add-host", image.extraHosts),
    ...(image.pull && !skipPull ? ["--pull"] : []),
  ];
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [name, value];
}

function options(name: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [name, value]);
}
