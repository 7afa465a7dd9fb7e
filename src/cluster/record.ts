import { open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError, messageOf } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { makeDirectory } from "../host/make-directory.ts";
import { identifyProcess, type ProcessIdentity } from "./identity.ts";
import { syncDirectory } from "./state.ts";

/** Something that a run is about to create, and that must be gone when it ends. */
export type Owned =
  | {
      readonly type: "cluster";
      readonly name: string;
      /** The container CLI: docker, podman or nerdctl. */
      readonly cli: string;
      /** Kept for later runs: removed only by `down --all` or by name. */
      readonly reuse?: boolean;
    }
  | {
      readonly type: "container" | "volume";
      readonly name: string;
      readonly cli: string;
      readonly reuse?: boolean;
    }
  /** The nodes' network: removed only if it carries our label and nothing is attached to it. */
  | { readonly type: "network"; readonly name: string; readonly cli: string }
  /** A Compose project; `standing` names its volumes and networks from before the run. */
  | {
      readonly type: "compose";
      readonly name: string;
      readonly cli: string;
      readonly standing: readonly string[];
    }
  /** Names of local images under a registry of the run's: `name` is its host, `localhost:32781`. */
  | { readonly type: "tags"; readonly name: string; readonly cli: string }
  /** A file or directory tree. */
  | { readonly type: "path"; readonly path: string }
  /** A `kind create`, `docker run` or `docker compose up` begins; when it has ended, no container of it can appear any more. */
  | { readonly type: "making" | "made"; readonly name: string; readonly attempt: number }
  /** The leader of a process group. */
  | { readonly type: "process"; readonly process: ProcessIdentity }
  /** Where the run's reports go: for messages, never removed. */
  | { readonly type: "report"; readonly path: string }
  /** The user asked for the cluster to stay: only naming the run, or its age, removes it. */
  | { readonly type: "kept" };

/**
 * What a run owns, on disk before it exists: `runs/<id>.jsonl`, readable by its user only. Lines are only ever
 * appended, so the most that a kill can do is to leave half a last line, of something not yet created.
 */
export interface RunRecord {
  readonly run: string;
  readonly path: string;
  readonly owner: ProcessIdentity | undefined;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly entries: readonly Owned[];
  /** Resolves when the entries are on the disk; those already there are not written again. */
  add(...entries: readonly Owned[]): Promise<void>;
  /** Forgets the run: all that it owned is gone. */
  close(): Promise<void>;
}

interface Header {
  readonly version: 1;
  readonly run: string;
  readonly startedAt: number;
  readonly owner?: ProcessIdentity;
}

/** Starts the record of a run; on an existing one, goes on with it. */
export async function openRecord(
  stateDir: string,
  run: string,
  host: Pick<Host, "clock" | "platform" | "run">,
): Promise<RunRecord> {
  const directory = join(stateDir, "runs");
  const path = join(directory, `${run}.jsonl`);
  const existing = await readRecord(path);
  if (existing) return existing;
  makeRecordsFolder(directory);
  const owner = await identifyProcess(process.pid, host);
  const header: Header = {
    version: 1,
    run,
    startedAt: host.clock.now(),
    ...(owner ? { owner } : {}),
  };
  await append(path, `${JSON.stringify(header)}\n`);
  await syncDirectory(directory);
  return new FileRecord(path, header, []);
}

function makeRecordsFolder(path: string): void {
  try {
    makeDirectory(path, 0o700);
  } catch (error) {
    throw new EnvironmentError(`Cannot write down what this run owns: ${messageOf(error)}`, {
      hint: "Set XDG_STATE_HOME to a folder that this user may write to",
      cause: error,
    });
  }
}

/** The record in a file; undefined when there is none or it does not even have its first line. */
export async function readRecord(path: string): Promise<RunRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const [header, ...entries] = parseLines(text);
  if (!isHeader(header)) return undefined;
  return new FileRecord(path, header, entries as Owned[]);
}

/** All records of a state directory, oldest first. */
export async function listRecords(stateDir: string): Promise<readonly RunRecord[]> {
  const directory = join(stateDir, "runs");
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const records = await Promise.all(
    names
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => readRecord(join(directory, name))),
  );
  return records.filter((record) => record !== undefined).sort((a, b) => a.startedAt - b.startedAt);
}

function parseLines(text: string): unknown[] {
  return text.split("\n").flatMap((line): unknown[] => {
    if (!line) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      return []; // half a line: the write was cut short, so what it announced was never created
    }
  });
}

function isHeader(value: unknown): value is Header {
  return (
    typeof value === "object" && value !== null && (value as Header).version === 1 && "run" in value
  );
}

async function append(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "a", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new EnvironmentError(`Cannot write down what this run owns: ${messageOf(error)}`, {
      hint: "Set XDG_STATE_HOME to a folder on a disk with room that this user may write to",
      cause: error,
    });
  }
}

class FileRecord implements RunRecord {
  readonly path: string;
  readonly #header: Header;
  readonly #entries: Owned[];
  readonly #lines: Set<string>;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, header: Header, entries: Owned[]) {
    this.path = path;
    this.#header = header;
    this.#entries = entries;
    this.#lines = new Set(entries.map((entry) => JSON.stringify(entry)));
  }

  get run(): string {
    return this.#header.run;
  }

  get owner(): ProcessIdentity | undefined {
    return this.#header.owner;
  }

  get startedAt(): number {
    return this.#header.startedAt;
  }

  get entries(): readonly Owned[] {
    return this.#entries;
  }

  add(...entries: readonly Owned[]): Promise<void> {
    const fresh = entries.filter((entry) => !this.#lines.has(JSON.stringify(entry)));
    for (const entry of fresh) {
      this.#entries.push(entry);
      this.#lines.add(JSON.stringify(entry));
    }
    const text = fresh.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    // one write after the other; a failed one fails its own caller only
    const writing = this.#writing.then(() => (text ? append(this.path, text) : undefined));
    this.#writing = writing.catch(() => {});
    return writing;
  }

  async close(): Promise<void> {
    await this.#writing;
    await rm(this.path, { force: true });
  }
}
