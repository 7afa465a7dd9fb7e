import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host } from "../host/host.ts";

/** The git work tree that a Tiltfile is in: reports name files relative to it. Nothing where there is none. */
export async function describeRepository(
  tiltfile: string,
  host: Host,
): Promise<{ readonly top?: string; readonly sha?: string }> {
  const top = await topOf(dirname(tiltfile));
  if (top === undefined) return {};
  try {
    const { exitCode, stdout } = await host.run(["git", "rev-parse", "HEAD"], {
      cwd: top,
      timeoutMs: 5000,
    });
    return exitCode === 0 ? { top, sha: stdout.trim() } : { top };
  } catch (error) {
    if (error instanceof CommandNotFoundError) return { top };
    throw error;
  }
}

async function topOf(directory: string): Promise<string | undefined> {
  if (await stat(join(directory, ".git")).catch(() => undefined)) return directory;
  const parent = dirname(directory);
  return parent === directory ? undefined : topOf(parent);
}
