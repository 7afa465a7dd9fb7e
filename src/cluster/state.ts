import { open, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Host } from "../host/host.ts";
import { makeDirectory } from "../host/make-directory.ts";

/** The user's folder for our state, whatever the working directory: `$XDG_STATE_HOME/tilt-ci`. */
export function stateDirectory({ env }: Pick<Host, "env">): string {
  // XDG base directory specification: a relative path there is to be ignored
  if (env.XDG_STATE_HOME?.startsWith("/")) return join(env.XDG_STATE_HOME, "tilt-ci");
  const home = env.HOME || env.USERPROFILE;
  return home ? join(home, ".local", "state", "tilt-ci") : join(tmpdir(), "tilt-ci-state");
}

/** Writes a file that only we can read, in one step: a reader sees the old or the new text, also after a crash. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  makeDirectory(dirname(path), 0o700);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Makes a directory's entries durable: a file created there is still there after a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
