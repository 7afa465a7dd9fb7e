import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Host } from "../host/host.ts";

/**
 * A process that is told from every later one with the same number: its start time and the boot it belongs to
 * go with the pid. `machine` is the host name: another machine's (or container's) pids mean nothing here.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks since boot, `/`, the boot's id. Elsewhere: what `ps` gives as start time. */
  readonly startedAt: string;
  readonly machine: string;
}

/** Who runs under `pid` now, or undefined when nobody does. */
export async function identifyProcess(
  pid: number,
  host: Pick<Host, "platform" | "run">,
): Promise<ProcessIdentity | undefined> {
  const startedAt = await startTime(pid, host);
  return startedAt === undefined ? undefined : { pid, startedAt, machine: hostname() };
}

/** Whether that very process still runs. Of another machine we cannot know: `unknown`. */
export async function livenessOf(
  identity: ProcessIdentity,
  host: Pick<Host, "platform" | "run">,
): Promise<"alive" | "dead" | "unknown"> {
  if (identity.machine !== hostname()) return "unknown";
  return (await startTime(identity.pid, host)) === identity.startedAt ? "alive" : "dead";
}

/** One line, for a container label. */
export function formatIdentity({ pid, startedAt, machine }: ProcessIdentity): string {
  return `${pid}@${startedAt}@${machine}`;
}

/** The inverse of `formatIdentity()`; undefined for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const match = /^(\d+)@([^@]+)@(.+)$/.exec(text);
  if (!match) return undefined;
  return {
    pid: Number(match[1]),
    startedAt: match[2] as string,
    machine: match[3] as string,
  };
}

/** Start time of a live process; zombies count as ended. */
async function startTime(
  pid: number,
  host: Pick<Host, "platform" | "run">,
): Promise<string | undefined> {
  if (host.platform === "linux") {
    const stat = await readProc(pid);
    return stat && stat.state !== "Z" ? `${stat.startTicks}/${await bootId()}` : undefined;
  }
  const { exitCode, stdout } = await host.run(["ps", "-o", "lstart=", "-p", String(pid)]);
  return exitCode === 0 && stdout.trim() ? stdout.trim() : undefined;
}

interface ProcStat {
  readonly state: string;
  readonly group: number;
  readonly startTicks: string;
}

/** proc(5) `stat`: the name in parentheses may hold anything, so fields are counted after the last `)`. */
export function parseProcStat(text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  const startTicks = fields[19];
  if (!state || !group || !startTicks) return undefined;
  return { state, group: Number(group), startTicks };
}

async function readProc(pid: number): Promise<ProcStat | undefined> {
  return parseProcStat(await readText(`/proc/${pid}/stat`));
}

/** A file's text; empty when it is gone or not ours to read. */
async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}

let bootIdRead: Promise<string> | undefined;
function bootId(): Promise<string> {
  bootIdRead ??= readText("/proc/sys/kernel/random/boot_id").then((text) => text.trim() || "boot");
  return bootIdRead;
}

export interface ProcessEntry {
  readonly pid: number;
  readonly group: number;
  readonly argv: readonly string[];
}

/** All live processes that we can see. */
export async function listProcesses(
  host: Pick<Host, "platform" | "run">,
): Promise<readonly ProcessEntry[]> {
  if (host.platform !== "linux") {
    const { stdout } = await host.run(["ps", "-axo", "pid=,pgid=,command="]);
    return parsePs(stdout);
  }
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(
    pids.map(async (pid): Promise<ProcessEntry | undefined> => {
      const stat = await readProc(pid);
      if (!stat || stat.state === "Z") return undefined;
      const argv = (await readText(`/proc/${pid}/cmdline`)).split("\0").slice(0, -1);
      return { pid, group: stat.group, argv };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

/** `ps -axo pid=,pgid=,command=`: arguments with spaces cannot be told apart there. */
export function parsePs(text: string): readonly ProcessEntry[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (!match) return [];
    return [{ pid: Number(match[1]), group: Number(match[2]), argv: (match[3] ?? "").split(" ") }];
  });
}

/** The environment of a process (Linux), to prove that it is a run's child; empty when it cannot be read. */
export async function environmentOf(pid: number): Promise<readonly string[]> {
  return (await readText(`/proc/${pid}/environ`)).split("\0");
}
