import { type BundleCollector, collectDiagnosticsBundle } from "../report/index.ts";
import type { Session } from "./session.ts";
import type { RunVerdict } from "./verdict.ts";

/** For all collectors together; what is not there by then is missing from the bundle, and that is said in it. */
const BUNDLE_TIMEOUT_MS = 10_000;

/** After a bad end, and before anything is removed: what a person needs to understand it without running it again. */
export async function collectBundle(session: Session, verdict: RunVerdict): Promise<void> {
  const when = session.options.reports.exportLogs;
  const wanted =
    when === "always" ||
    (when === "on-failure" && (verdict.verdict === "failed" || verdict.exitCode === 3));
  if (!wanted || session.collectors.length === 0) return;
  const collectors: BundleCollector[] = [...session.collectors, ...machineCollectors(session)];
  await collectDiagnosticsBundle(session.reports.bundleDirectory, collectors, {
    scrubber: session.scrubber,
    clock: session.host.clock,
    timeoutMs: BUNDLE_TIMEOUT_MS,
    signal: session.hurry,
  });
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "docker-info.txt": ["docker", "info"],
  "docker-disk.txt": ["docker", "system", "df"],
  "docker-containers.txt": ["docker", "ps", "--all"],
  "memory.txt": ["free", "-m"],
  "disk.txt": ["df", "-h"],
};

function machineCollectors({ host }: Session): BundleCollector[] {
  return [
    {
      name: "machine",
      async collect(directory, signal) {
        const { writeFile } = await import("node:fs/promises");
        await Promise.all(
          Object.entries(COMMANDS).map(async ([file, argv]) => {
            const outcome = await host.run(argv, { signal, timeoutMs: 5000 });
            await writeFile(`${directory}/${file}`, outcome.stdout + outcome.stderr);
          }),
        );
      },
    },
  ];
}
