import { EnvironmentError } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host } from "../host/host.ts";
import { type ContainerEngine, containerEngine } from "./container-engine.ts";
import { listProcesses, livenessOf, type ProcessIdentity, parseIdentity } from "./identity.ts";
import {
  isRunClusterName,
  KIND_CLUSTER_LABEL,
  nodeNetwork,
  OWNER_LABEL,
  RUN_LABEL,
  reuseClusterName,
} from "./names.ts";
import { worksOn } from "./processes.ts";
import { listRecords, openRecord, type RunRecord } from "./record.ts";
import { registryName } from "./registry.ts";
import { forgetReuse, isReuseLocked, listReuse } from "./reuse.ts";
import { stateDirectory } from "./state.ts";
import { teardown } from "./teardown.ts";

const OWNER_GRACE_MS = 15_000;
const POLL_MS = 200;

export interface DownOptions {
  /** Only this run: its id, the name of its cluster, or what `--reuse` was given. */
  readonly run?: string | undefined;
  /** Every run, `--keep`, `--reuse` and unrecorded ones included. */
  readonly all?: boolean | undefined;
  /** Only runs that started at least so long ago; also those that were kept. */
  readonly olderThanMs?: number | undefined;
  /** Also runs that are alive: they are told to end first. */
  readonly force?: boolean | undefined;
  readonly stateDir?: string | undefined;
  readonly onStep?: ((name: string, startedAt: number, at: number) => void) | undefined;
}

export interface DownResult {
  /** Ids of runs, or names of clusters, of which nothing is left. */
  readonly removed: readonly string[];
  /** Runs that were left alone, each with the reason as a sentence. */
  readonly refused: readonly { readonly run: string; readonly reason: string }[];
  readonly failures: readonly string[];
}

/**
 * Finishes what killed runs left, by their records and, with `all` or a name, by labels where a record is lost.
 * Without options: every recorded run whose process is gone and that was not meant to stay.
 */
export async function down(options: DownOptions, host: Host): Promise<DownResult> {
  const stateDir = options.stateDir ?? stateDirectory(host);
  const sweep = new Sweep(options, stateDir, host);
  for (const record of await listRecords(stateDir)) {
    if (selects(record, options, host.clock.now())) await sweep.record(record);
  }
  if (options.all || options.run) {
    await sweep.reused();
    await sweep.unrecorded();
  }
  return sweep;
}

/** Whether the options mean this run. */
export function selects(
  record: Pick<RunRecord, "run" | "startedAt" | "entries">,
  { run, all, olderThanMs }: DownOptions,
  now: number,
): boolean {
  if (olderThanMs !== undefined && now - record.startedAt < olderThanMs) return false;
  if (run !== undefined)
    return (
      record.run === run ||
      record.entries.some((entry) => entry.type === "cluster" && entry.name === run)
    );
  if (all || olderThanMs !== undefined) return true;
  return !record.entries.some(({ type }) => type === "kept");
}

class Sweep implements DownResult {
  readonly removed: string[] = [];
  readonly refused: { run: string; reason: string }[] = [];
  readonly failures: string[] = [];
  readonly #options: DownOptions;
  readonly #stateDir: string;
  readonly #host: Host;

  constructor(options: DownOptions, stateDir: string, host: Host) {
    this.#options = options;
    this.#stateDir = stateDir;
    this.#host = host;
  }

  async record(record: RunRecord): Promise<void> {
    const kept = record.entries.some(({ type }) => type === "kept");
    if (record.owner && !kept && !(await this.#mayRemove(record.run, record.owner))) return;
    const { failures } = await teardown(record, this.#host, { onStep: this.#options.onStep });
    this.failures.push(...failures);
    if (failures.length === 0) this.removed.push(record.run);
  }

  /** Clusters of `--reuse`. */
  async reused(): Promise<void> {
    for (const { clusterName, cli } of await listReuse(this.#stateDir)) {
      if (!this.#options.all && !this.#isNamed(clusterName)) continue;
      if (!this.#options.force && (await isReuseLocked(this.#stateDir, clusterName, this.#host))) {
        this.refused.push({ run: clusterName, reason: "A run is using it" });
        continue;
      }
      if (await this.#removeCluster(clusterName, cli))
        await forgetReuse(this.#stateDir, clusterName);
    }
  }

  /** What carries our labels or names and is in no record: the state directory was lost, or is another one. */
  async unrecorded(): Promise<void> {
    const engine = containerEngine(this.#host);
    const known = new Set([
      ...(await listRecords(this.#stateDir)).flatMap(({ run, entries }) => [
        run,
        ...entries.flatMap((entry) => (entry.type === "cluster" ? [entry.name] : [])),
      ]),
      ...(await listReuse(this.#stateDir)).map(({ clusterName }) => clusterName),
    ]);
    for (const { run, cluster, owner } of await labelledIfInstalled(engine)) {
      if (known.has(run) || known.has(cluster)) continue;
      if (this.#options.run && !this.#isNamed(run) && !this.#isNamed(cluster)) continue;
      if (owner && !(await this.#mayRemove(run, owner))) continue;
      if (await this.#isInUse(cluster)) continue;
      await this.#removeCluster(cluster, engine.cli);
    }
  }

  /** Who made a reused cluster is gone, but another run may be at work there whose lock is in another state directory. */
  async #isInUse(cluster: string): Promise<boolean> {
    if (this.#options.force) return false;
    const user = (await listProcesses(this.#host)).find((entry) => worksOn(entry, cluster));
    if (user === undefined) return false;
    const reason = `Process ${user.pid} is using it: --force removes it all the same`;
    this.refused.push({ run: cluster, reason });
    return true;
  }

  /** Whether a name on the command line means this one: people know a reused cluster as they named it. */
  #isNamed(name: string): boolean {
    const { run } = this.#options;
    return run !== undefined && (run === name || reuseClusterName(run) === name);
  }

  async #removeCluster(clusterName: string, cli: string): Promise<boolean> {
    const record = await openRecord(this.#stateDir, clusterName, this.#host);
    await record.add(
      { type: "cluster", name: clusterName, cli },
      { type: "container", name: registryName(clusterName), cli },
      { type: "volume", name: registryName(clusterName), cli },
      { type: "network", name: nodeNetwork(this.#host.env), cli },
    );
    const { failures } = await teardown(record, this.#host, { onStep: this.#options.onStep });
    this.failures.push(...failures);
    if (failures.length === 0) this.removed.push(clusterName);
    return failures.length === 0;
  }

  /** Whether the owner is gone, or was made to go. */
  async #mayRemove(run: string, owner: ProcessIdentity): Promise<boolean> {
    const liveness = await livenessOf(owner, this.#host);
    if (liveness === "dead" || owner.pid === process.pid) return true;
    if (liveness === "unknown") {
      if (this.#options.force) return true;
      this.refused.push({
        run,
        reason: `It belongs to ${owner.machine}, from where only --force takes it`,
      });
      return false;
    }
    if (!this.#options.force) {
      this.refused.push({
        run,
        reason: `It is still alive as process ${owner.pid}: --force ends it`,
      });
      return false;
    }
    await this.#endOwner(owner);
    return true;
  }

  /** A run that is told to end tears itself down; one that does not is killed. */
  async #endOwner(owner: ProcessIdentity): Promise<void> {
    const { clock } = this.#host;
    signal(owner.pid, "SIGTERM");
    const deadline = clock.monotonic() + OWNER_GRACE_MS;
    while (clock.monotonic() < deadline) {
      if ((await livenessOf(owner, this.#host)) !== "alive") return;
      await clock.sleep(POLL_MS);
    }
    signal(owner.pid, "SIGKILL");
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

interface Labelled {
  readonly run: string;
  readonly cluster: string;
  readonly owner?: ProcessIdentity;
}

/** Where no engine is installed, there is nothing of it either. */
async function labelledIfInstalled(engine: ContainerEngine): Promise<readonly Labelled[]> {
  try {
    return await labelled(engine);
  } catch (error) {
    if (error instanceof EnvironmentError && error.cause instanceof CommandNotFoundError) return [];
    throw error;
  }
}

/** Runs seen in the container engine only: by their registry's labels, and by kind clusters with a run's name. */
async function labelled(engine: ContainerEngine): Promise<readonly Labelled[]> {
  const list = async (filter: string, format: string) =>
    (
      await engine.must("Cannot list containers", [
        ...["ps", "--all", "--filter", `label=${filter}`, "--format", format],
      ])
    )
      .split("\n")
      .filter((line) => line !== "");
  const registries = (
    await list(RUN_LABEL, `{{.Names}}\t{{.Label "${RUN_LABEL}"}}\t{{.Label "${OWNER_LABEL}"}}`)
  ).map((line): Labelled => {
    const [container = "", run = "", identity = ""] = line.split("\t");
    const owner = parseIdentity(identity);
    return { run, cluster: container.replace(/-registry$/, ""), ...(owner ? { owner } : {}) };
  });
  const nodes = await list(KIND_CLUSTER_LABEL, `{{.Label "${KIND_CLUSTER_LABEL}"}}`);
  const clusters = [...new Set(nodes)]
    .filter((name) => isRunClusterName(name) && !registries.some((r) => r.cluster === name))
    .map((name): Labelled => ({ run: name, cluster: name }));
  return [...registries, ...clusters];
}
