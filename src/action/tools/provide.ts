import { join } from "node:path";
import semver from "semver";
import { CancelledError, messageOf } from "../../errors.ts";
import { CommandNotFoundError } from "../../host/command-not-found.ts";
import type { Host } from "../../host/host.ts";
import { type Arch, TILTFILE_TOOLS, type Tool } from "./catalogue.ts";
import { type DownloadOptions, proxiedBy } from "./download.ts";
import { installTool } from "./install.ts";

/** A mirror of the publishers' servers: asked for `MIRROR/<host>/<path>`. */
const MIRROR_VARIABLE = "TILT_CI_TOOL_MIRROR";

export interface ProvideOptions extends DownloadOptions {
  /** kind, if the run will make a cluster with it. */
  readonly kind: Tool | undefined;
  readonly addPath: (directory: string) => void;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * Brings the tools that the runner lacks. One that cannot be had is a warning: whether the run needs it is for the run
 * to tell, where it needs it. Throws `CancelledError` when the signal fires; nothing half done is left then.
 */
export async function provideTools(host: Host, options: ProvideOptions): Promise<void> {
  const { kind } = options;
  const wanted = [...(kind ? [kind] : []), ...TILTFILE_TOOLS];
  const present = await Promise.all(wanted.map((tool) => isUsable(tool, host, options.signal)));
  const lacking = wanted.filter((_, index) => !present[index]);
  if (lacking.length === 0) return;
  const arch = archOf(host.platform, process.arch);
  if (!arch) {
    const names = lacking.map(({ name }) => name).join(", ");
    options.warn(
      `Not installed here: ${names}. The Action brings tools to Linux runners on amd64 and arm64 only; install them in a step before, if the Tiltfile needs them`,
    );
    return;
  }
  const connections = proxiedBy(host.env);
  const { dispatcher } = connections;
  try {
    await Promise.all(lacking.map((tool) => provide(tool, arch, host, { ...options, dispatcher })));
  } finally {
    await connections.destroy();
  }
  if (options.signal?.aborted) throw new CancelledError();
}

async function provide(
  tool: Tool,
  arch: Arch,
  host: Host,
  { addPath, info, warn, ...download }: ProvideOptions,
): Promise<void> {
  const { RUNNER_TOOL_CACHE, RUNNER_TEMP, [MIRROR_VARIABLE]: mirror } = host.env;
  const cache = RUNNER_TOOL_CACHE || join(RUNNER_TEMP || host.cwd, "tilt-ci-tools");
  try {
    const locate = (url: string) => mirrored(url, mirror);
    addPath(await installTool(tool, { cache, arch, locate, ...download }, host));
    info(`${tool.name} ${tool.version} is not on this runner: installed from its publisher`);
  } catch (error) {
    if (download.signal?.aborted) return; // the others are waited for, too: none leaves anything behind
    warn(`Cannot install ${tool.name} ${tool.version}: ${messageOf(error)}`);
  }
}

/** The same URL on a mirror; without one, the publisher's. */
function mirrored(url: string, mirror: string | undefined): string {
  if (!mirror) return url;
  const { host, pathname } = new URL(url);
  return `${mirror.replace(/\/+$/, "")}/${host}${pathname}`;
}

async function isUsable(
  { argv, version: pinned, minimum, exact }: Tool,
  host: Host,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const { exitCode, stdout } = await host.run(argv, { timeoutMs: 20_000, signal });
    if (exitCode !== 0) return false;
    const version = semver.coerce(/\d+\.\d+\.\d+/.exec(stdout)?.[0]);
    if (exact) return version?.version === pinned;
    return minimum === undefined || (version !== null && semver.gte(version, minimum));
  } catch (error) {
    if (error instanceof CommandNotFoundError) return false;
    throw error;
  }
}

/** The publishers' name of this machine's architecture; undefined where the Action brings nothing. */
export function archOf(platform: string, arch: string): Arch | undefined {
  if (platform !== "linux") return undefined;
  if (arch === "x64") return "amd64";
  return arch === "arm64" ? "arm64" : undefined;
}
