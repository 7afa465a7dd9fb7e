import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CancelledError, messageOf } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { collectDiagnosticsBundle } from "../report/index.ts";
import type { Collector, Session } from "./session.ts";
import type { RunVerdict } from "./verdict.ts";

/** For all collectors together; what is not there by then is missing from the bundle, and that is said in it. */
const BUNDLE_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 8_000;

/** After a bad end, and before anything is removed: what a person needs to understand it without running it again. */
export async function collectBundle(session: Session, verdict: RunVerdict): Promise<void> {
  const when = session.options.reports.exportLogs;
  const wanted =
    when === "always" ||
    (when === "on-failure" && (verdict.verdict === "failed" || verdict.exitCode === 3));
  if (!wanted) return;
  const machine = commandsCollector("machine", MACHINE, session.host);
  await collectDiagnosticsBundle(
    session.reports.bundleDirectory,
    [...session.collectors, machine],
    {
      scrubber: session.scrubber,
      clock: session.host.clock,
      timeoutMs: BUNDLE_TIMEOUT_MS,
      signal: session.hurry,
    },
  );
}

const MACHINE: Readonly<Record<string, readonly string[]>> = {
  "docker-info.txt": ["docker", "info"],
  "docker-disk.txt": ["docker", "system", "df"],
  "docker-containers.txt": ["docker", "ps", "--all"],
  "memory.txt": ["free", "-m"],
  "disk.txt": ["df", "-h"],
};

/** What commands print, a file each. A command that is missing or fails says so in its file, and keeps no other from its own. */
export function commandsCollector(
  name: string,
  commands: Readonly<Record<string, readonly string[]>>,
  host: Pick<Host, "run">,
): Collector {
  return {
    name,
    async collect(directory, signal) {
      await Promise.all(
        Object.entries(commands).map(async ([file, argv]) => {
          const text = await output(argv, host, signal);
          await writeFile(join(directory, file), text);
        }),
      );
    },
  };
}

async function output(
  argv: readonly string[],
  host: Pick<Host, "run">,
  signal: AbortSignal,
): Promise<string> {
  try {
    const { stdout, stderr, exitCode, timedOut } = await host.run(argv, {
      signal,
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
    const end = timedOut ? "did not end in time" : `exit code ${exitCode}`;
    return exitCode === 0 ? stdout + stderr : `${stdout}${stderr}\n[${argv.join(" ")}: ${end}]\n`;
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    return `[${argv.join(" ")}: ${messageOf(error)}]\n`;
  }
}
