import type { Host } from "../host/host.ts";
import {
  environmentOf,
  listProcesses,
  livenessOf,
  type ProcessEntry,
  type ProcessIdentity,
} from "./identity.ts";
import { reuseClusterName, SMOKE_REUSE } from "./names.ts";

const GRACE_MS = 1500;
const POLL_MS = 50;

/** The variable that our children carry: proof that an orphan is a run's, whatever became of its parent. */
export const RUN_VARIABLE = "TILT_CI_RUN";

/** By what the process groups of a run are known. */
export interface GroupOwner {
  readonly run: string;
  readonly leaders: readonly ProcessIdentity[];
  readonly clusters: readonly string[];
}

/**
 * Ends a run's process groups: SIGTERM, then SIGKILL. They are those whose leader is on record and still that very
 * process, those with a member that carries the run's mark (Linux), and any that makes one of its clusters.
 * Answers with how many it ended.
 */
export async function endProcesses(owner: GroupOwner, host: Host): Promise<number> {
  const groups = await groupsOf(owner, host);
  for (const group of groups) signalGroup(group, "SIGTERM");
  const deadline = host.clock.monotonic() + GRACE_MS;
  let left = groups;
  while (left.length > 0 && host.clock.monotonic() < deadline) {
    await host.clock.sleep(POLL_MS);
    left = left.filter((group) => signalGroup(group, 0));
  }
  for (const group of left) signalGroup(group, "SIGKILL");
  return groups.length;
}

async function groupsOf(
  { run, leaders, clusters }: GroupOwner,
  host: Host,
): Promise<readonly number[]> {
  const groups = new Set<number>();
  for (const leader of leaders) {
    if ((await livenessOf(leader, host)) === "alive") groups.add(leader.pid);
  }
  const processes = (await listProcesses(host)).filter(({ argv }) => argv.length > 0);
  await Promise.all(
    processes.map(async (entry) => {
      if (createsCluster(entry, clusters) || (await carriesMark(entry.pid, run)))
        groups.add(entry.group);
    }),
  );
  // a run inside a run carries the outer one's mark: it must not end itself
  groups.delete(process.pid);
  groups.delete(processes.find(({ pid }) => pid === process.pid)?.group ?? process.pid);
  return [...groups].filter((group) => group > 1);
}

/** A `kind create cluster --name NAME` of one of these clusters. */
export function createsCluster({ argv }: ProcessEntry, clusters: readonly string[]): boolean {
  const at = argv.indexOf("create");
  const isKind = /(^|\/)kind$/.test(argv[0] ?? "") && at > 0 && argv[at + 1] === "cluster";
  const name = argv[argv.indexOf("--name") + 1];
  return isKind && argv.includes("--name") && name !== undefined && clusters.includes(name);
}

/** A tilt-ci that works on a reused cluster, as its command line says. */
export function worksOn({ argv }: ProcessEntry, clusterName: string): boolean {
  const program = argv.findIndex((word) => /(^|\/)(tilt-ci|cli\.cjs)$/.test(word));
  const [command, ...words] = program < 0 ? [] : argv.slice(program + 1);
  if (command !== "ci" && command !== "smoke") return false;
  const given = words.flatMap((word, index) => {
    if (word.startsWith("--reuse=")) return word.slice("--reuse=".length);
    return word === "--reuse" ? (words[index + 1] ?? []) : [];
  });
  const name = given.at(-1) ?? (command === "smoke" ? SMOKE_REUSE : undefined);
  return name !== undefined && reuseClusterName(name) === clusterName;
}

async function carriesMark(pid: number, run: string): Promise<boolean> {
  return (await environmentOf(pid)).includes(`${RUN_VARIABLE}=${run}`);
}

/** Whether the group was still there. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    if ((error as NodeJS.ErrnoException).code === "EPERM") return false; // not ours after all
    throw error;
  }
}
