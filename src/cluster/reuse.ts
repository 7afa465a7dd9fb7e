import { createHash } from "node:crypto";
import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError, UsageError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { makeDirectory } from "../host/make-directory.ts";
import { formatIdentity, identifyProcess, livenessOf, parseIdentity } from "./identity.ts";
import { clusterNameProblem, reuseClusterName } from "./names.ts";
import { writePrivateFile } from "./state.ts";

/** An object that a run applied to a reused cluster, by which the next run finds and deletes it. */
export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** What a reused cluster was made from: another one means that it has to be made anew. */
export type ReuseFingerprint = string;

/** What is known of a `--reuse` cluster between runs: `reuse/<cluster>.json`. */
export interface ReuseState {
  readonly clusterName: string;
  /** Absent while the cluster is being made. */
  readonly fingerprint?: ReuseFingerprint;
  readonly cli: string;
  readonly objects: readonly AppliedObject[];
}

/** A reused cluster, locked for this run. */
export interface ReuseHandle {
  readonly clusterName: string;
  /** What earlier runs applied and this one has to delete first. */
  readonly objects: readonly AppliedObject[];
  matches(fingerprint: ReuseFingerprint): boolean;
  /** Notes that the cluster exists as described; `undefined`: that it is about to be made, empty. */
  save(fingerprint: ReuseFingerprint | undefined): Promise<void>;
  /** Replaces the objects on record; call it before they are applied. */
  recordObjects(objects: readonly AppliedObject[]): Promise<void>;
  /** Lets the next run have it. */
  release(): Promise<void>;
}

/** Of a cluster's configuration, node image and container CLI. */
export function fingerprintOf(
  configYaml: string,
  nodeImage: string | undefined,
  cli: string,
): ReuseFingerprint {
  return createHash("sha256")
    .update(JSON.stringify([configYaml, nodeImage ?? "", cli]))
    .digest("hex");
}

/**
 * Takes the cluster of `--reuse NAME` for this run. Throws `EnvironmentError` while another run has it,
 * `UsageError` for a name that cannot be one.
 */
export async function acquireReuse(
  name: string,
  stateDir: string,
  host: Host,
): Promise<ReuseHandle> {
  const clusterName = reuseClusterName(name);
  const problem = clusterNameProblem(clusterName);
  if (problem) throw new UsageError(`"${name}" cannot be the name of a cluster: ${problem}`);
  const path = join(stateDir, "reuse", `${clusterName}.json`);
  const release = await lock(`${path.slice(0, -".json".length)}.lock`, clusterName, host);
  let state: ReuseState = (await readReuseState(path)) ?? {
    clusterName,
    cli: host.env.KIND_EXPERIMENTAL_PROVIDER || "docker",
    objects: [],
  };
  let writing: Promise<void> = Promise.resolve();
  const write = (next: ReuseState) => {
    state = next;
    // one after the other: two at once would take each other's temporary file, and the older one could come last
    writing = writing
      .catch(() => {})
      .then(() => writePrivateFile(path, `${JSON.stringify(state, undefined, 2)}\n`));
    return writing;
  };
  return {
    clusterName,
    get objects() {
      return state.objects;
    },
    matches: (fingerprint) => state.fingerprint === fingerprint,
    save: (fingerprint) => {
      const { fingerprint: _, ...rest } = state;
      return write(fingerprint ? { ...rest, fingerprint } : { ...rest, objects: [] });
    },
    recordObjects: (objects) => write({ ...state, objects }),
    release,
  };
}

/** All reused clusters on record. */
export async function listReuse(stateDir: string): Promise<readonly ReuseState[]> {
  const directory = join(stateDir, "reuse");
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const states = await Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .map((name) => readReuseState(join(directory, name))),
  );
  return states.filter((state) => state !== undefined);
}

/** Forgets a reused cluster that is gone. */
export async function forgetReuse(stateDir: string, clusterName: string): Promise<void> {
  await rm(join(stateDir, "reuse", `${clusterName}.json`), { force: true });
  await rm(join(stateDir, "reuse", clusterName), { recursive: true, force: true });
}

async function readReuseState(path: string): Promise<ReuseState | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as ReuseState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new EnvironmentError(`Cannot read ${path}`, {
      hint: "Remove that file; the cluster is then made anew",
      cause: error,
    });
  }
}

/** Whether a run has this reused cluster now. */
export async function isReuseLocked(
  stateDir: string,
  clusterName: string,
  host: Host,
): Promise<boolean> {
  const text = await readFile(join(stateDir, "reuse", `${clusterName}.lock`), "utf8").catch(
    () => "",
  );
  const holder = parseIdentity(text);
  return holder !== undefined && (await livenessOf(holder, host)) !== "dead";
}

/** A lock file that names its holder: the next one takes it over when that process is no more. */
async function lock(path: string, clusterName: string, host: Host): Promise<() => Promise<void>> {
  makeDirectory(join(path, ".."), 0o700);
  const me = await identifyProcess(process.pid, host);
  const text = me ? formatIdentity(me) : String(process.pid);
  const mine = `${path}.${process.pid}`;
  await writeFile(mine, text, { mode: 0o600 });
  try {
    for (let attempt = 1; attempt <= 3; attempt++) {
      // link() makes the whole file appear at once, or fails: nobody sees a lock without its holder
      const taken = await link(mine, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === "EEXIST") return false;
          throw error;
        },
      );
      if (taken) return () => rm(path, { force: true });
      const holder = parseIdentity(await readFile(path, "utf8").catch(() => ""));
      if (holder && (await livenessOf(holder, host)) !== "dead")
        throw new EnvironmentError(`The cluster ${clusterName} is used by another run`, {
          hint: `Wait for process ${holder.pid} on ${holder.machine}, or give another --reuse name`,
        });
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
  throw new EnvironmentError(`The cluster ${clusterName} is used by another run`, {
    hint: "Try again, or give another --reuse name",
  });
}
