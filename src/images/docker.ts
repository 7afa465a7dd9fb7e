/** Docker as images need it: its image store, its builders, its command line. */

import { EnvironmentError } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { CommandOptions, CommandOutcome } from "../host/host.ts";

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

/** What builds images. */
export interface BuilderInfo {
  /** BuildKit through buildx, or the builder of old. */
  readonly kind: "buildx" | "classic";
  /** Shares Docker's image store: results and bases are simply there. */
  readonly sharesStore: boolean;
}

/** The daemon's images. All methods throw `DockerError` for what Docker refuses. */
export interface ImageStore {
  info(signal: AbortSignal): Promise<DockerInfo>;
  /** Those of the references and ids that Docker has, by the text asked for. */
  inspect(refs: readonly string[], signal: AbortSignal): Promise<Map<string, LocalImage>>;
  /** Gives an image one more name. */
  tag(id: string, ref: string, signal: AbortSignal): Promise<void>;
  /** Takes names off their images; an image without another one goes. */
  untag(refs: readonly string[], signal: AbortSignal): Promise<void>;
  /** All names of images, `repository:tag`. */
  names(signal: AbortSignal): Promise<string[]>;
  /** The archive of `docker save`; ends with the iteration. */
  save(refs: readonly string[], signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface Docker extends ImageStore {
  /** Runs `docker …`; a non-zero exit is an outcome. Throws `EnvironmentError` when there is no docker. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandOutcome>;
  builder(signal: AbortSignal): Promise<BuilderInfo>;
}

/** A docker command or request that failed. `message` is what Docker said, one line. */
export class DockerError extends Error {
  readonly stderr: string;
  /** `action` is the command or request; `stderr` all that Docker said. */
  constructor(action: string, stderr: string) {
    const lines = stderr.split("\n").filter((line) => line.trim() !== "");
    super(lines.at(-1)?.replace(/^(?:ERROR|Error response from daemon): /, "") ?? "no output");
    this.name = "DockerError";
    this.stderr = `${action}\n${stderr}`;
  }
}

export interface DockerOptions {
  /** `--builder` of the run. */
  readonly builder?: string | undefined;
  /** Where the plugins of Docker's command line are; the system's places by default. */
  readonly pluginDirectories?: readonly string[];
}

/** What engines that only look like Docker's leave out. */
export const NO_VERSION = "the engine tells no version: it is not Docker's";

/** What a missing program means; other errors as they are. */
export function missingDocker(error: unknown): unknown {
  if (!(error instanceof CommandNotFoundError)) return error;
  return new EnvironmentError("Cannot run docker: no such program on PATH", {
    hint: "Images are built with Docker: install it, or set PATH",
    cause: error,
  });
}
