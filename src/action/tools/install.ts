import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Host } from "../../host/host.ts";
import { makeDirectory } from "../../host/make-directory.ts";
import type { Arch, Tool } from "./catalogue.ts";
import { type DownloadOptions, downloadFile, downloadText } from "./download.ts";

export interface InstallOptions extends DownloadOptions {
  /** The runner's tool cache (`RUNNER_TOOL_CACHE`). */
  readonly cache: string;
  readonly arch: Arch;
  /** Where downloads really come from: a URL of the publisher → the one to ask. */
  readonly locate: (url: string) => string;
}

/**
 * Puts a tool into the runner's tool cache, in its layout (NAME/VERSION/ARCH beside ARCH.complete), and returns the
 * folder for PATH. What is in the cache is used as it is. Throws when the download does not have the SHA-256 that the
 * publisher states for it: nothing of it is kept then.
 */
export async function installTool(
  tool: Tool,
  { cache, arch, locate, ...download }: InstallOptions,
  host: Pick<Host, "run">,
): Promise<string> {
  const folder = join(cache, tool.name, tool.version);
  const directory = join(folder, nodeArch(arch));
  const mark = `${directory}.complete`;
  if (await isThere(mark)) return directory;
  makeDirectory(folder);
  // beside its place, so that it gets there by a rename: two jobs may install at the same time
  const work = await mkdtemp(join(folder, ".download-"));
  try {
    const url = tool.url(arch);
    const file = join(work, basename(new URL(url).pathname));
    // one after the other: a download that goes on beside a failed one would write into what is removed below
    const sums = await downloadText(locate(tool.checksumUrl(arch)), download);
    const actual = await downloadFile(locate(url), file, download);
    const expected = checksumIn(sums, basename(file));
    if (expected !== actual)
      throw new Error(
        `The download of ${tool.name} ${tool.version} is not what its publisher states: SHA-256 ${actual}, expected ${expected ?? "one that is not in its checksum file"}`,
      );
    const binary = await unpack(tool, file, work, arch, host);
    const made = join(work, "bin");
    await mkdir(made);
    await rename(binary, join(made, tool.name));
    await chmod(join(made, tool.name), 0o755);
    await rm(directory, { recursive: true, force: true });
    await rename(made, directory).catch(async (error: unknown) => {
      if (!(await isThere(mark))) throw error; // another job was quicker
    });
    await writeFile(mark, "");
    return directory;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpack(
  { inArchive }: Tool,
  file: string,
  work: string,
  arch: Arch,
  host: Pick<Host, "run">,
): Promise<string> {
  if (!inArchive) return file;
  const member = inArchive(arch);
  const outcome = await host.run(["tar", "-xzf", file, "-C", work, member]);
  if (outcome.exitCode !== 0)
    throw new Error(`Cannot unpack ${basename(file)}: ${outcome.stderr.trim()}`);
  return join(work, member);
}

/** The sum of a file: alone in its text, or on the line that names it (sha256sum(1)'s format). */
export function checksumIn(text: string, file: string): string | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  for (const line of lines) {
    const [sum = "", name] = line.split(/\s+\*?/);
    if (!/^[0-9a-fA-F]{64}$/.test(sum)) continue;
    if (name === undefined ? lines.length === 1 : basename(name) === file) return sum.toLowerCase();
  }
  return undefined;
}

/** The tool cache's name of an architecture (Node's). */
function nodeArch(arch: Arch): string {
  return arch === "amd64" ? "x64" : arch;
}

async function isThere(path: string): Promise<boolean> {
  return await readFile(path).then(
    () => true,
    () => false,
  );
}
