import { stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host } from "../host/host.ts";

/**
 * The repository that a Tiltfile is in: reports name files relative to its top. That is the git work tree; where there is
 * none, `checkout`, if the Tiltfile is in it (some CI systems bring the files without git).
 */
export async function describeRepository(
  tiltfile: string,
  checkout: string | undefined,
  host: Host,
): Promise<{ readonly top?: string; readonly sha?: string }> {
  const top = await topOf(dirname(tiltfile));
  if (top === undefined) return checkout && isIn(checkout, tiltfile) ? { top: checkout } : {};
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

function isIn(directory: string, file: string): boolean {
  const inside = relative(directory, file);
  return inside !== "" && inside !== ".." && !/^\.\.[\\/]|^([\\/]|[A-Za-z]:)/.test(inside);
}

async function topOf(directory: string): Promise<string | undefined> {
  if (await stat(join(directory, ".git")).catch(() => undefined)) return directory;
  const parent = dirname(directory);
  return parent === directory ? undefined : topOf(parent);
}
