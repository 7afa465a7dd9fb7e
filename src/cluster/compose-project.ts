import { messageOf } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import type { ContainerEngine } from "./container-engine.ts";
import { errorLine } from "./symptoms.ts";

const PROJECT_LABEL = "com.docker.compose.project";
/** As `docker compose down --timeout 2`: enough for a database to close its files. */
const STOP_SECONDS = 2;
const COMMAND_TIMEOUT_MS = 60_000;
const TRIES = 10;
const PAUSE_MS = 300;

export interface ComposeRemoval {
  readonly name: string;
  /** Volumes and networks from before the run: they stay. */
  readonly standing: readonly string[];
  /** An `up` was cut off a moment ago: its container may yet appear. */
  readonly isSettling: boolean;
}

/**
 * Removes the containers of a Compose project, and its volumes and networks unless they stood before, by Compose's
 * labels: also where its files are gone. Answers with what is still there and why.
 */
export async function removeComposeProject(
  { name, standing, isSettling }: ComposeRemoval,
  engine: ContainerEngine,
  clock: Clock,
): Promise<readonly string[]> {
  let failures: readonly string[] = [];
  let quiet = 0;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      const removed = await removeParts(name, standing, engine);
      failures = removed.failures;
      quiet = removed.found ? 0 : quiet + 1;
    } catch (error) {
      failures = [messageOf(error)];
    }
    if (failures.length === 0 && quiet >= (isSettling ? 4 : 1)) return [];
    if (quiet > 0 || failures.length > 0) await clock.sleep(PAUSE_MS);
  }
  return failures.map((failure) => `Cannot remove Compose project ${name}: ${failure}`);
}

async function removeParts(
  project: string,
  standing: readonly string[],
  engine: ContainerEngine,
): Promise<{ readonly found: boolean; readonly failures: readonly string[] }> {
  const bounds = { timeoutMs: COMMAND_TIMEOUT_MS };
  const list = async (...words: readonly string[]) => {
    const filter = ["--filter", `label=${PROJECT_LABEL}=${project}`];
    const text = await engine.must("it cannot be looked at", [...words, ...filter], bounds);
    return text.split("\n").filter((line) => line !== "" && !standing.includes(line));
  };
  const failures: string[] = [];
  const remove = async (names: readonly string[], ...words: readonly string[]) => {
    if (names.length === 0) return;
    const outcome = await engine.run([...words, ...names], bounds);
    const problems = outcome.stderr
      .split("\n")
      .filter((line) => line.trim() !== "" && !/no such|not found/i.test(line));
    if (outcome.exitCode !== 0 && problems.length > 0)
      failures.push(errorLine({ stdout: "", stderr: problems.join("\n") }));
  };
  const containers = await list("ps", "--all", "--quiet", "--no-trunc");
  if (containers.length > 0)
    await engine.run(["stop", "-t", String(STOP_SECONDS), ...containers], bounds);
  await remove(containers, "rm", "--force", "--volumes");
  const [volumes, networks] = await Promise.all([
    list("volume", "ls", "--format", "{{.Name}}"),
    list("network", "ls", "--format", "{{.Name}}"),
  ]);
  await Promise.all([remove(volumes, "volume", "rm"), remove(networks, "network", "rm")]);
  return { found: containers.length + volumes.length + networks.length > 0, failures };
}
