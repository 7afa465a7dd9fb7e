import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { ReportedCluster } from "../model/run-result.ts";
import {
  type BundleCollector,
  collectDiagnosticsBundle,
  createLayout,
  createScrubber,
  type Secret,
} from "../report/index.ts";

/** For everything that is collected: the runner gives post five minutes when a job was cancelled. */
const TIMEOUT_MS = 45_000;
const ASK_TIMEOUT_MS = 15_000;

interface SecretList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly data?: Readonly<Record<string, string>>;
  }[];
}

/**
 * What a cluster looks like when the job ends, for a later step that failed on it: its pods in the job's log, its logs
 * in `directory`. Values of its Secrets, and `secrets`, are masked in both; if the Secrets cannot be read, nothing is
 * collected. Throws `EnvironmentError` then.
 */
export async function collectAfterJob(
  cluster: ReportedCluster,
  directory: string,
  secrets: readonly Secret[],
  host: Host,
  write: (text: string) => void,
): Promise<void> {
  const kubectl = (...words: string[]) => [
    ...["kubectl", "--kubeconfig", cluster.kubeconfig, "--request-timeout=10s", "get"],
    ...[...words, "--all-namespaces"],
  ];
  const ask = async (argv: readonly string[]) => {
    const outcome = await host.run(argv, { timeoutMs: ASK_TIMEOUT_MS, maxBuffer: 64 << 20 });
    if (outcome.exitCode === 0) return outcome.stdout;
    throw new EnvironmentError(
      `The cluster does not answer: ${outcome.stderr.trim().split("\n").at(-1)}`,
    );
  };
  const held = JSON.parse(await ask(kubectl("secrets", "--output=json"))) as SecretList;
  const scrubber = createScrubber([...secrets, ...secretsOf(held)]);
  const pods = await ask(kubectl("pods", "--output=wide"));
  write(inGroup("Pods when the job ended", scrubber.text(pods).trimEnd().split("\n")));
  const objects = { "pods.txt": kubectl("pods", "--output=wide"), "events.txt": kubectl("events") };
  await collectDiagnosticsBundle(
    directory,
    [objectsCollector(objects, ask), nodesCollector(cluster, host)],
    { scrubber, clock: host.clock, timeoutMs: TIMEOUT_MS },
  );
}

function objectsCollector(
  files: Readonly<Record<string, readonly string[]>>,
  ask: (argv: readonly string[]) => Promise<string>,
): BundleCollector {
  return {
    name: "objects",
    collect: async (directory) => {
      for (const [file, argv] of Object.entries(files))
        await writeFile(join(directory, file), await ask(argv));
    },
  };
}

function nodesCollector({ name }: ReportedCluster, host: Host): BundleCollector {
  return {
    name: "nodes",
    async collect(directory, signal) {
      const argv = ["kind", "export", "logs", directory, "--name", name ?? ""];
      const { exitCode, stderr } = await host.run(argv, { signal });
      if (exitCode !== 0) throw new Error(stderr.trim().split("\n").at(-1));
    },
  };
}

/** The values that the cluster's own Secrets hold. */
export function secretsOf({ items = [] }: SecretList): Secret[] {
  return items.flatMap(({ metadata, data = {} }) =>
    Object.entries(data).map(
      ([key, value]): Secret => ({
        label: `secret ${metadata?.name ?? ""}:${key}`,
        value: Buffer.from(value, "base64").toString("utf8"),
        origin: "manifest",
      }),
    ),
  );
}

function inGroup(title: string, lines: readonly string[]): string {
  const fenced = createLayout("github")?.fenced(lines) ?? lines;
  return [`::group::${title}`, ...fenced, "::endgroup::", ""].join("\n");
}
