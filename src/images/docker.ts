/** Docker's command line, as far as images need it. */

import { CancelledError, EnvironmentError } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { CommandOptions, CommandOutcome, Host } from "../host/host.ts";
import { familiarReference, tryParseImageReference } from "../manifests/image-reference.ts";
import { once } from "./once.ts";

/** An image in the local Docker. */
export interface LocalImage {
  /** `sha256:…`; the digest of its configuration unless Docker keeps images in containerd. */
  readonly id: string;
  readonly repoTags: readonly string[];
  /** Digests of the uncompressed layers, base first. */
  readonly diffIds: readonly string[];
  /** Bytes on disk. */
  readonly size: number;
}

export interface DockerInfo {
  /** Major version of the engine, 0 if it does not say. */
  readonly major: number;
  readonly rootDirectory: string;
  readonly storageDriver: string;
  /** Images are kept by containerd: ids are manifest digests, pushes do not compress anew. */
  readonly containerdStore: boolean;
}

export interface BuilderInfo {
  /** BuildKit through buildx, or the builder of old. */
  readonly kind: "buildx" | "classic";
  /** Shares Docker's image store: results and bases are simply there. */
  readonly sharesStore: boolean;
}

export interface Docker {
  /** Runs `docker …`; a non-zero exit is an outcome. Throws `EnvironmentError` when there is no docker. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandOutcome>;
  /** As `run`, but throws `DockerError` for a non-zero exit. Gives stdout. */
  expect(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** Those of the references and ids that Docker has, by the text asked for. */
  inspect(refs: readonly string[], signal: AbortSignal): Promise<Map<string, LocalImage>>;
  info(signal: AbortSignal): Promise<DockerInfo>;
  builder(signal: AbortSignal): Promise<BuilderInfo>;
  /** Bytes of `docker save`; the process ends when the iteration does. */
  save(refs: readonly string[], signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A docker command that failed. `message` is what Docker said, one line. */
export class DockerError extends Error {
  readonly stderr: string;
  constructor(args: readonly string[], stderr: string) {
    const lines = stderr.split("\n").filter((line) => line.trim() !== "");
    super(lines.at(-1)?.replace(/^(?:ERROR|Error response from daemon): /, "") ?? "no output");
    this.name = "DockerError";
    this.stderr = `docker ${args.join(" ")}\n${stderr}`;
  }
}

/** Docker's command line with an environment; `builder` is `--builder` of the run. */
export function createDocker(
  host: Host,
  env: Readonly<Record<string, string>>,
  builder: string | undefined,
): Docker {
  // Attestations would give an unchanged image a new digest at each build.
  const environment = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1", DOCKER_CLI_HINTS: "false", ...env };
  const infos = new Map<string, Promise<DockerInfo>>();
  const builders = new Map<string, Promise<BuilderInfo>>();
  const docker: Docker = {
    async run(args, options = {}) {
      try {
        return await host.run(["docker", ...args], { env: environment, ...options });
      } catch (error) {
        throw missingDocker(error);
      }
    },
    async expect(args, signal) {
      const { exitCode, stdout, stderr } = await docker.run(args, { signal });
      if (exitCode !== 0) throw new DockerError(args, stderr);
      return stdout;
    },
    inspect: (refs, signal) => inspectImages(docker, refs, signal),
    info: (signal) => once(infos, "", () => readInfo(docker, signal)),
    builder: (signal) =>
      once(builders, "", () => findBuilder(docker, environment, builder, signal)),
    save: (refs, signal) => saveImages(host, environment, refs, signal),
  };
  return docker;
}

function missingDocker(error: unknown): unknown {
  if (!(error instanceof CommandNotFoundError)) return error;
  return new EnvironmentError("Cannot run docker: no such program on PATH", {
    hint: "Images are built with Docker: install it, or set PATH",
    cause: error,
  });
}

interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly RootFS?: { readonly Layers?: readonly string[] };
  readonly Size?: number;
}

async function inspectImages(
  docker: Docker,
  refs: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, LocalImage>> {
  if (refs.length === 0) return new Map();
  const args = ["image", "inspect", ...refs];
  const { exitCode, stdout, stderr } = await docker.run(args, { signal });
  // It prints what it has found even where it complains about the others.
  if (exitCode !== 0 && !/no such image/i.test(stderr)) throw new DockerError(args, stderr);
  const images = JSON.parse(stdout.trim() || "[]") as InspectedImage[];
  const found = new Map<string, LocalImage>();
  for (const ref of refs) {
    const image = images.find((candidate) => isNamed(candidate, ref));
    if (image) found.set(ref, localImage(image));
  }
  return found;
}

function isNamed({ Id, RepoTags, RepoDigests }: InspectedImage, ref: string): boolean {
  if (Id === ref) return true;
  const reference = tryParseImageReference(ref);
  if (!reference) return false;
  const { domain, path, digest, tag } = reference;
  if (digest) {
    return (
      (RepoDigests ?? []).includes(familiarReference({ domain, path, digest })) || Id === digest
    );
  }
  return (RepoTags ?? []).includes(familiarReference({ domain, path, tag: tag ?? "latest" }));
}

function localImage({ Id, RepoTags, RootFS, Size }: InspectedImage): LocalImage {
  return { id: Id, repoTags: RepoTags ?? [], diffIds: RootFS?.Layers ?? [], size: Size ?? 0 };
}

async function readInfo(docker: Docker, signal: AbortSignal): Promise<DockerInfo> {
  const args = ["info", "--format", "{{json .}}"];
  const { stdout, stderr } = await docker.run(args, { signal });
  const info = parseInfo(stdout);
  if (!info?.ServerVersion) {
    const said = stderr.trim() || (info?.ServerErrors ?? []).join("\n");
    throw new DockerError(args, said || "the engine tells no version: it is not Docker's");
  }
  const status = info.DriverStatus ?? [];
  return {
    major: Number.parseInt(info.ServerVersion, 10) || 0,
    rootDirectory: info.DockerRootDir ?? "",
    storageDriver: info.Driver ?? "",
    containerdStore: status.some(([, value]) => value?.startsWith("io.containerd.snapshotter")),
  };
}

interface InfoOutput {
  readonly ServerVersion?: string;
  readonly ServerErrors?: readonly string[];
  readonly DockerRootDir?: string;
  readonly Driver?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
}

function parseInfo(stdout: string): InfoOutput | undefined {
  try {
    return JSON.parse(stdout) as InfoOutput;
  } catch {
    return undefined; // podman's and old clients' texts: the caller says what stderr says
  }
}

/** Drivers whose BuildKit is the daemon's own. */
const SHARING_DRIVERS = ["docker"];

async function findBuilder(
  docker: Docker,
  env: Readonly<Record<string, string>>,
  name: string | undefined,
  signal: AbortSignal,
): Promise<BuilderInfo> {
  if (/^(?:0|false)$/i.test(env.DOCKER_BUILDKIT ?? "") && !name) {
    return { kind: "classic", sharesStore: true };
  }
  const args = ["buildx", "inspect", ...(name ? [name] : [])];
  const { exitCode, stdout, stderr } = await docker.run(args, { signal });
  if (exitCode === 0) {
    const driver = /^Driver:\s*(\S+)/m.exec(stdout)?.[1] ?? "docker";
    return { kind: "buildx", sharesStore: SHARING_DRIVERS.includes(driver) };
  }
  if (/is not a docker command|unknown (?:shorthand )?(?:flag|command)/i.test(stderr)) {
    if (!name) return { kind: "classic", sharesStore: true };
    throw new EnvironmentError(`Cannot use the builder "${name}": Docker has no buildx here`, {
      hint: "Install the buildx plugin, or leave --builder and BUILDX_BUILDER out",
    });
  }
  throw new DockerError(args, stderr);
}

async function* saveImages(
  host: Host,
  env: Readonly<Record<string, string>>,
  refs: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (signal.aborted) throw new CancelledError();
  const args = ["save", ...refs];
  const errors: string[] = [];
  const child = await host
    .spawn(["docker", ...args], { env, raw: true, onLine: (line) => void errors.push(line) })
    .catch((error: unknown) => {
      throw missingDocker(error);
    });
  const stop = () => void child.stop();
  signal.addEventListener("abort", stop);
  try {
    yield* child.stdout ?? [];
    const { exitCode } = await child.exited;
    if (signal.aborted) throw new CancelledError();
    if (exitCode !== 0) throw new DockerError(args, errors.join("\n"));
  } finally {
    signal.removeEventListener("abort", stop);
    await child.stop();
  }
}
