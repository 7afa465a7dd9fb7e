/** Where Docker's command line would find its engine. */

import { access, constants, readFile } from "node:fs/promises";
import { join } from "node:path";

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** Docker's configuration directory; undefined where neither DOCKER_CONFIG nor HOME says. */
export function dockerConfigDirectory(env: Readonly<Record<string, string>>): string | undefined {
  return env.DOCKER_CONFIG || (env.HOME ? join(env.HOME, ".docker") : undefined);
}

/**
 * The socket of the engine that the command line would use; undefined if that is elsewhere, or not plain to see:
 * a context, another machine, a socket that is not ours to use.
 */
export async function engineSocket(
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { DOCKER_HOST, DOCKER_CONTEXT } = env;
  let path = DEFAULT_SOCKET;
  if (DOCKER_HOST) {
    if (!DOCKER_HOST.startsWith("unix://")) return undefined;
    path = DOCKER_HOST.slice("unix://".length);
  } else if (DOCKER_CONTEXT ? DOCKER_CONTEXT !== "default" : await hasCurrentContext(env)) {
    return undefined;
  }
  return access(path, constants.R_OK | constants.W_OK).then(
    () => path,
    () => undefined,
  );
}

async function hasCurrentContext(env: Readonly<Record<string, string>>): Promise<boolean> {
  const directory = dockerConfigDirectory(env);
  if (directory === undefined) return true;
  const text = await readFile(join(directory, "config.json"), "utf8").catch(() => "{}");
  const context = /"currentContext"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? "default";
  return context !== "default";
}
