import { setMaxListeners } from "node:events";
import { lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { messageOf } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import { makeDirectory } from "../host/make-directory.ts";
import { writeAtomically } from "./atomic.ts";
import { trimFile } from "./bundle-file.ts";
import { safeFileName } from "./log-path.ts";
import { timestamp } from "./places.ts";
import { makeOwnDirectory } from "./report-directory.ts";
import type { Scrubber } from "./scrub.ts";

/** Gathers one kind of evidence into files of a directory of its own. */
export interface BundleCollector {
  /** Also the name of its directory: `pods`, `node`, `registry`, `docker`. */
  readonly name: string;
  /** Writes files into `directory`, which exists; ends early when the signal fires. What it throws is told in the index. */
  collect(directory: string, signal: AbortSignal): Promise<void>;
}

export interface BundleOptions {
  readonly scrubber: Scrubber;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** For all collectors together, 10 s by default. */
  readonly timeoutMs?: number;
  /** Ends the collecting early: what is there by then is kept. */
  readonly signal?: AbortSignal;
  /** Of the whole bundle, 64 MiB by default. */
  readonly maxBytes?: number;
  /** Of one file, 8 MiB by default: its beginning and its end are kept. */
  readonly maxFileBytes?: number;
}

/** `bundle/index.json`. */
export interface BundleIndex {
  readonly schemaVersion: "1.0";
  readonly collectedAt: string;
  readonly durationMs: number;
  readonly bytes: number;
  readonly collectors: readonly CollectorResult[];
}

export interface CollectorResult {
  readonly name: string;
  /** `late`: did not end in time, what it had written is kept. */
  readonly status: "done" | "failed" | "late";
  readonly durationMs: number;
  readonly message?: string;
  readonly files: readonly BundledFile[];
}

export interface BundledFile {
  /** Relative to the bundle, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Bytes that were cut out of the middle, or the whole file, to keep the bundle small. */
  readonly cutBytes?: number;
}

const TIMEOUT_MS = 10_000;
/** Collectors that do not heed the signal are left behind after this. */
const GRACE_MS = 500;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILE_BYTES = 8 * 1024 * 1024;

/**
 * Runs all collectors at once within the time limit, then masks secrets in what they wrote and cuts it to size. Never
 * throws: a collector that fails, hangs or fills the disk is an entry in the index.
 */
export async function collectDiagnosticsBundle(
  directory: string,
  collectors: readonly BundleCollector[],
  options: BundleOptions,
): Promise<BundleIndex> {
  const { clock } = options;
  const start = clock.monotonic();
  const collectedAt = timestamp(clock.now());
  const abort = new AbortController();
  // collectors run as many commands at once as they like
  setMaxListeners(0, abort.signal);
  const end = () => abort.abort();
  const timer = setTimeout(end, options.timeoutMs ?? TIMEOUT_MS);
  if (options.signal?.aborted) end();
  options.signal?.addEventListener("abort", end, { once: true });
  const runs = await Promise.all(
    collectors.map((collector) => runCollector(collector, directory, clock, abort.signal)),
  );
  clearTimeout(timer);
  options.signal?.removeEventListener("abort", end);
  let room = options.maxBytes ?? MAX_BYTES;
  const results = runs.map((run): CollectorResult => {
    const { files, problem } = tidy(settledDirectory(run, directory), directory, options, room);
    room -= files.reduce((sum, { bytes }) => sum + bytes, 0);
    const message = run.message ?? problem;
    return {
      name: run.name,
      status: run.status === "done" && problem !== undefined ? "failed" : run.status,
      durationMs: run.durationMs,
      ...(message !== undefined && { message: options.scrubber.text(message) }),
      files,
    };
  });
  const index: BundleIndex = {
    schemaVersion: "1.0",
    collectedAt,
    durationMs: Math.round(clock.monotonic() - start),
    bytes: (options.maxBytes ?? MAX_BYTES) - room,
    collectors: results,
  };
  try {
    writeAtomically(join(directory, "index.json"), `${JSON.stringify(index, null, 2)}\n`);
  } catch {
    // A full disk: the index is handed back all the same, and the files are there as far as they fit.
  }
  return index;
}

/** A collector that is late may still write: away from where it does, since what it adds now would not be masked. */
function settledDirectory({ name, status }: CollectorRun, root: string): string {
  const directory = join(root, safeFileName(name));
  if (status !== "late") return directory;
  const moved = `${directory}.late`;
  try {
    renameSync(directory, moved);
    return moved;
  } catch {
    return directory; // it wrote nothing
  }
}

interface CollectorRun {
  readonly name: string;
  readonly status: CollectorResult["status"];
  readonly durationMs: number;
  readonly message?: string;
}

async function runCollector(
  { name, collect }: BundleCollector,
  directory: string,
  clock: BundleOptions["clock"],
  signal: AbortSignal,
): Promise<CollectorRun> {
  const start = clock.monotonic();
  const took = () => Math.round(clock.monotonic() - start);
  try {
    makeOwnDirectory(directory);
    const own = join(directory, safeFileName(name));
    makeDirectory(own);
    const collecting = collect(own, signal);
    // Told below as failed or late; a rejection after that must not end the process.
    collecting.catch(() => undefined);
    const late = await Promise.race([collecting.then(() => false), pastGrace(signal)]);
    if (!late) return { name, status: "done", durationMs: took() };
    return { name, status: "late", durationMs: took(), message: "did not end in time" };
  } catch (error) {
    const status = signal.aborted ? "late" : "failed";
    return { name, status, durationMs: took(), message: messageOf(error) };
  }
}

/** Resolves to true some time after the signal has fired. */
function pastGrace(signal: AbortSignal): Promise<true> {
  return new Promise((done) => {
    const wait = () => setTimeout(() => done(true), GRACE_MS).unref();
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait, { once: true });
  });
}

/** Masks and trims the files of one collector; small files first, so that one giant does not push out the rest. */
function tidy(
  directory: string,
  root: string,
  { scrubber, maxFileBytes = MAX_FILE_BYTES }: BundleOptions,
  room: number,
): { readonly files: BundledFile[]; readonly problem?: string } {
  const files: BundledFile[] = [];
  let left = room;
  let problem: string | undefined;
  let found: ReturnType<typeof listFiles> = [];
  try {
    found = listFiles(directory).toSorted((a, b) => a.bytes - b.bytes);
  } catch (error) {
    problem = messageOf(error);
  }
  for (const { path, bytes } of found) {
    const name = relative(root, path).replaceAll("\\", "/");
    try {
      const kept = trimFile(path, Math.min(maxFileBytes, left), scrubber);
      left -= kept;
      files.push({ path: name, bytes: kept, ...(kept < bytes && { cutBytes: bytes - kept }) });
    } catch (error) {
      problem ??= `${name}: ${messageOf(error)}`;
      rmSync(path, { force: true }); // never leave a file whose secrets could not be masked
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return problem === undefined ? { files } : { files, problem };
}

function listFiles(directory: string): { readonly path: string; readonly bytes: number }[] {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return listFiles(path);
    if (entry.isFile()) return [{ path, bytes: lstatSync(path).size }];
    rmSync(path, { force: true }); // links and sockets have no place in a bundle
    return [];
  });
}
