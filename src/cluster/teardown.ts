import { rm } from "node:fs/promises";
import { messageOf } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { removeComposeProject } from "./compose-project.ts";
import { containerEngine } from "./container-engine.ts";
import { livenessOf, type ProcessIdentity } from "./identity.ts";
import { removeImageTags } from "./image-tags.ts";
import { removeNetwork } from "./network.ts";
import { endProcesses } from "./processes.ts";
import type { Owned, RunRecord } from "./record.ts";
import { removeAll } from "./remove.ts";
import { errorLine } from "./symptoms.ts";

const LOGS_TIMEOUT_MS = 30_000;

export interface TeardownOptions {
  /** Ends the collecting of logs, never the removal: for a second Ctrl-C. */
  readonly signal?: AbortSignal | undefined;
  /** Where the clusters' logs go before they are removed; none without it. */
  readonly logsDir?: string | undefined;
  readonly skipLogs?: boolean | undefined;
  /** Also what is kept for later runs (`--reuse`). */
  readonly includeReuse?: boolean | undefined;
  /** Times in epoch milliseconds. */
  readonly onStep?: ((name: string, startedAt: number, at: number) => void) | undefined;
}

/**
 * Removes all that a run owns: its processes and, once logs are collected, its containers, volumes, network and
 * files. Every step is tried whatever became of the others; a second call finds nothing to do. The record is
 * forgotten when nothing failed. Never throws: failures are sentences.
 */
export async function teardown(
  record: RunRecord,
  host: Host,
  options: TeardownOptions = {},
): Promise<{ readonly failures: readonly string[] }> {
  const failures: string[] = [];
  const attempt = async (name: string, work: () => Promise<readonly string[] | undefined>) => {
    const startedAt = host.clock.now();
    try {
      failures.push(...((await work()) ?? []));
    } catch (error) {
      failures.push(`Cannot ${name}: ${messageOf(error)}`);
    }
    options.onStep?.(name, startedAt, host.clock.now());
  };
  const owned = selectOwned(record.entries, options.includeReuse ?? false);
  const leaders = await liveOf(owned.processes, host);
  const stopping = stopProcesses(record.run, owned, host, attempt);
  // searching all processes for orphans takes 0.1 s, in which the removal can go on if there is no known one
  if (leaders.length > 0) await stopping;
  if (options.logsDir !== undefined && !options.skipLogs)
    await attempt("collect logs", () => collectLogs(owned.clusters, options, host));
  await Promise.all([
    ...owned.clis.map((cli) => removeWith(cli, owned, host, attempt)),
    attempt("remove files", () => removePaths(owned.paths)),
  ]);
  if ((await stopping) > 0 && leaders.length === 0)
    await Promise.all(owned.clis.map((cli) => removeWith(cli, owned, host, attempt)));
  if (failures.length === 0) await attempt("forget the run", () => record.close().then(() => []));
  // an engine out of reach refuses every step with the same words
  return { failures: [...new Set(failures)] };
}

type NamedOwned = Extract<Owned, { cli: string }>;
type ComposeOwned = Extract<Owned, { type: "compose" }>;

interface Selection {
  readonly clusters: readonly NamedOwned[];
  readonly containers: readonly NamedOwned[];
  readonly volumes: readonly NamedOwned[];
  readonly networks: readonly NamedOwned[];
  readonly tags: readonly NamedOwned[];
  readonly projects: readonly ComposeOwned[];
  /** Clusters and containers whose making was cut off. */
  readonly unfinished: ReadonlySet<string>;
  readonly clis: readonly string[];
  readonly paths: readonly string[];
  readonly processes: readonly ProcessIdentity[];
}

/** The entries by kind, without those that stay. */
function selectOwned(entries: readonly Owned[], includeReuse: boolean): Selection {
  const named = entries
    .filter((entry): entry is NamedOwned => "cli" in entry)
    .filter((entry) => includeReuse || !("reuse" in entry && entry.reuse));
  const ofType = (type: NamedOwned["type"]) => named.filter((entry) => entry.type === type);
  return {
    clusters: ofType("cluster"),
    containers: ofType("container"),
    volumes: ofType("volume"),
    networks: ofType("network"),
    tags: ofType("tags"),
    projects: entries.filter((entry) => entry.type === "compose"),
    unfinished: unfinishedOf(entries),
    clis: [...new Set(named.map(({ cli }) => cli))],
    paths: entries.flatMap((entry) => (entry.type === "path" ? [entry.path] : [])),
    processes: entries.flatMap((entry) => (entry.type === "process" ? [entry.process] : [])),
  };
}

function unfinishedOf(entries: readonly Owned[]): ReadonlySet<string> {
  const unfinished = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === "making") unfinished.set(`${entry.name} ${entry.attempt}`, entry.name);
    if (entry.type === "made") unfinished.delete(`${entry.name} ${entry.attempt}`);
  }
  return new Set(unfinished.values());
}

type Attempt = (name: string, work: () => Promise<readonly string[] | undefined>) => Promise<void>;

/** How many process groups were ended. */
async function stopProcesses(
  run: string,
  { processes, clusters }: Selection,
  host: Host,
  attempt: Attempt,
): Promise<number> {
  let ended = 0;
  await attempt("stop processes", async () => {
    const names = clusters.map(({ name }) => name);
    ended = await endProcesses({ run, leaders: processes, clusters: names }, host);
    return [];
  });
  return ended;
}

async function liveOf(
  processes: Selection["processes"],
  host: Host,
): Promise<Selection["processes"]> {
  const liveness = await Promise.all(processes.map((process) => livenessOf(process, host)));
  return processes.filter((_, index) => liveness[index] === "alive");
}

async function removeWith(
  cli: string,
  owned: Selection,
  host: Host,
  attempt: Attempt,
): Promise<void> {
  const engine = containerEngine(host, cli);
  const names = (entries: readonly NamedOwned[]) =>
    entries.filter((entry) => entry.cli === cli).map(({ name }) => name);
  const clusters = names(owned.clusters);
  if (cli === "podman") {
    // kind's nodes have named volumes there, which only kind knows
    await attempt("delete the cluster", () => deleteWithKind(clusters, host));
  }
  await Promise.all([
    attempt("remove nodes", () =>
      removeAll(
        { clusters, isSettling: clusters.some((name) => owned.unfinished.has(name)) },
        engine,
        host.clock,
      ),
    ),
    attempt("remove the registry", () =>
      removeAll(
        {
          containers: names(owned.containers),
          volumes: names(owned.volumes),
          isSettling: owned.unfinished.size > 0,
        },
        engine,
        host.clock,
      ),
    ),
    ...owned.projects
      .filter((project) => project.cli === cli)
      .map(({ name, standing }) =>
        attempt(`remove Compose project ${name}`, () =>
          removeComposeProject(
            { name, standing, isSettling: owned.unfinished.has(name) },
            engine,
            host.clock,
          ),
        ),
      ),
  ]);
  const each = async (
    entries: readonly NamedOwned[],
    remove: (name: string) => Promise<readonly string[]>,
  ) => (await Promise.all(names(entries).map(remove))).flat();
  await Promise.all([
    attempt("remove the network", () =>
      each(owned.networks, (name) => removeNetwork(name, engine)),
    ),
    attempt("remove image tags", () => each(owned.tags, (name) => removeImageTags(name, engine))),
  ]);
}

async function deleteWithKind(clusters: readonly string[], host: Host): Promise<string[]> {
  const failures: string[] = [];
  for (const name of clusters) {
    const outcome = await host.run(["kind", "delete", "cluster", "--name", name], {
      timeoutMs: 60_000,
    });
    if (outcome.exitCode !== 0)
      failures.push(`Cannot delete the cluster ${name}: ${errorLine(outcome)}`);
  }
  return failures;
}

async function collectLogs(
  clusters: readonly NamedOwned[],
  { logsDir, signal }: TeardownOptions,
  host: Host,
): Promise<string[]> {
  for (const { name } of clusters) {
    await host
      .run(["kind", "export", "logs", logsDir as string, "--name", name], {
        timeoutMs: LOGS_TIMEOUT_MS,
        signal,
      })
      .catch(() => {}); // logs are a courtesy: nothing is left behind for lack of them
  }
  return [];
}

async function removePaths(paths: readonly string[]): Promise<string[]> {
  const results = await Promise.allSettled(
    paths.map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })),
  );
  return results.flatMap((result) =>
    result.status === "rejected" ? [`Cannot remove a file: ${messageOf(result.reason)}`] : [],
  );
}
