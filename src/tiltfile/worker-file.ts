import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The bundle's own path; there in the CommonJS bundle only. */
declare const __filename: string | undefined;

const BUNDLED_NAME = "tiltfile-worker.cjs";

let built: Promise<string> | undefined;

/**
 * The file that the Worker runs: beside the running bundle, or, when the program runs from its TypeScript sources
 * (tests), bundled now into a temporary directory that goes with the process.
 */
export async function workerFile(): Promise<string> {
  const source = import.meta.url as string | undefined;
  if (source?.endsWith(".ts")) {
    built ??= bundle(join(dirname(fileURLToPath(source)), "worker.ts"));
    return built;
  }
  const here = source === undefined ? (__filename ?? "") : fileURLToPath(source);
  const file = join(dirname(here), BUNDLED_NAME);
  if (!existsSync(file)) throw new Error(`${BUNDLED_NAME} is missing beside ${here}`);
  return file;
}

async function bundle(entry: string): Promise<string> {
  // Not a literal, so that no bundler follows it: esbuild is there only where the sources are.
  const bundler = "esbuild";
  const { build } = (await import(bundler)) as typeof import("esbuild");
  const directory = mkdtempSync(join(tmpdir(), "tilt-ci-worker-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const outfile = join(directory, BUNDLED_NAME);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "silent",
    define: { "import.meta.url": "undefined" },
  });
  return outfile;
}
