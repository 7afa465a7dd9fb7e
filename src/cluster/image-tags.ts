import type { ContainerEngine } from "./container-engine.ts";
import { errorLine } from "./symptoms.ts";

const COMMAND_TIMEOUT_MS = 60_000;

/**
 * Takes the names under a registry's host (`localhost:32781`) out of the local image store; images that have another
 * name stay. Answers with what could not be removed and why.
 */
export async function removeImageTags(
  registryHost: string,
  engine: ContainerEngine,
): Promise<readonly string[]> {
  const bounds = { timeoutMs: COMMAND_TIMEOUT_MS };
  const list = await engine.must(
    "Cannot list images",
    ["images", "--format", "{{.Repository}}:{{.Tag}}"],
    bounds,
  );
  const names = list.split("\n").filter((name) => name.startsWith(`${registryHost}/`));
  if (names.length === 0) return [];
  const outcome = await engine.run(["rmi", ...names], bounds);
  const problems = outcome.stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/[Nn]o such image/.test(line));
  return outcome.exitCode === 0 || problems.length === 0
    ? []
    : [`Cannot remove image tags: ${errorLine({ stdout: "", stderr: problems.join("\n") })}`];
}
