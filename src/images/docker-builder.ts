import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError } from "../errors.ts";
import { type BuilderInfo, type Docker, DockerError, type DockerOptions } from "./docker.ts";
import { dockerConfigDirectory } from "./docker-config.ts";

/** Where Docker's packages put the plugins of its command line (docker/cli, cli-plugins/manager). */
const PLUGIN_DIRECTORIES = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** The driver whose BuildKit is the daemon's own. */
const SHARING_DRIVER = "docker";

/**
 * What builds with an environment and the run's `--builder`. Asks buildx only where the answer is not plain from
 * its files. Throws `EnvironmentError`, `DockerError`.
 */
export async function findBuilder(
  run: Docker["run"],
  env: Readonly<Record<string, string>>,
  { builder, pluginDirectories = PLUGIN_DIRECTORIES }: DockerOptions,
  signal: AbortSignal,
): Promise<BuilderInfo> {
  if (/^(?:0|false)$/i.test(env.DOCKER_BUILDKIT ?? "") && !builder) {
    return { kind: "classic", sharesStore: true };
  }
  if (!builder && (await hasDefaultBuilder(env, pluginDirectories))) {
    return { kind: "buildx", sharesStore: true };
  }
  return inspectBuilder(run, builder, signal);
}

/** buildx is installed and nobody has chosen another builder than the daemon's. */
async function hasDefaultBuilder(
  env: Readonly<Record<string, string>>,
  pluginDirectories: readonly string[],
): Promise<boolean> {
  const config = dockerConfigDirectory(env);
  if (env.BUILDX_BUILDER || env.BUILDX_CONFIG || config === undefined) return false;
  const places = [join(config, "cli-plugins"), ...pluginDirectories];
  const found = await Promise.all(
    places.map((directory) =>
      access(join(directory, "docker-buildx")).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (!found.includes(true)) return false;
  const current = await readFile(join(config, "buildx", "current"), "utf8").catch(() => "{}");
  return /"Name":\s*""/.test(current) || !current.includes('"Name"');
}

async function inspectBuilder(
  run: Docker["run"],
  name: string | undefined,
  signal: AbortSignal,
): Promise<BuilderInfo> {
  const args = ["buildx", "inspect", ...(name ? [name] : [])];
  const { exitCode, stdout, stderr } = await run(args, { signal });
  if (exitCode === 0) {
    const driver = /^Driver:\s*(\S+)/m.exec(stdout)?.[1] ?? SHARING_DRIVER;
    return { kind: "buildx", sharesStore: driver === SHARING_DRIVER };
  }
  if (/is not a docker command|unknown (?:shorthand )?(?:flag|command)/i.test(stderr)) {
    if (!name) return { kind: "classic", sharesStore: true };
    throw new EnvironmentError(`Cannot use the builder "${name}": Docker has no buildx here`, {
      hint: "Install the buildx plugin, or leave --builder and BUILDX_BUILDER out",
    });
  }
  throw new DockerError(`docker ${args.join(" ")}`, stderr);
}
