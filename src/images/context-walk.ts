import type { Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";

/** A file, link or directory of a build context. */
export interface ContextEntry {
  /** Relative to the context, with slashes. */
  readonly path: string;
  readonly absolute: string;
  readonly type: "file" | "directory" | "link" | "fifo";
  readonly stats: Stats;
  /** For links. */
  readonly target?: string;
}

/** What a visitor says of an entry. */
export interface Visit<State> {
  readonly excluded: boolean;
  /** Handed to the entries in this directory. */
  readonly state: State;
  /** Do not look into this directory. */
  readonly prune: boolean;
}

/**
 * Every entry under a directory in a fixed order (names by code unit, a directory before what is in it), each with
 * what `visit` says of it. Sockets and devices have no place in a context and are left out.
 */
export async function* walkContext<State>(
  directory: string,
  state: State,
  visit: (entry: ContextEntry, parent: State) => Visit<State>,
  prefix = "",
): AsyncGenerator<ContextEntry & { readonly excluded: boolean }> {
  const names = await readdir(directory);
  names.sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const entry = await readEntry(join(directory, name), prefix + name);
    if (!entry) continue;
    const { excluded, state: below, prune } = visit(entry, state);
    yield { ...entry, excluded };
    if (entry.type === "directory" && !prune) {
      yield* walkContext(entry.absolute, below, visit, `${entry.path}/`);
    }
  }
}

async function readEntry(absolute: string, path: string): Promise<ContextEntry | undefined> {
  const stats = await lstat(absolute).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined; // gone since its directory was read
    throw error;
  });
  if (!stats) return undefined;
  if (stats.isFile()) return { path, absolute, type: "file", stats };
  if (stats.isDirectory()) return { path, absolute, type: "directory", stats };
  if (stats.isFIFO()) return { path, absolute, type: "fifo", stats };
  if (!stats.isSymbolicLink()) return undefined;
  return { path, absolute, type: "link", stats, target: await readlink(absolute) };
}
