import { UsageError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { containerEngine } from "./container-engine.ts";
import { clusterNameProblem, randomBase36 } from "./names.ts";
import { nodeContainersOf } from "./node-containers.ts";

/**
 * The name of a run's cluster: the run's id, or `--cluster-name`. A wanted name that is taken gets four random
 * characters more, and a warning. Throws `UsageError` for what cannot be a name.
 */
export async function chooseClusterName(
  wanted: string | undefined,
  run: string,
  host: Host,
  signal?: AbortSignal,
): Promise<{ readonly name: string; readonly warning?: string }> {
  if (wanted === undefined) return { name: run };
  const problem = clusterNameProblem(wanted);
  if (problem) throw new UsageError(`"${wanted}" cannot be the name of a cluster: ${problem}`);
  const taken = await nodeContainersOf(wanted, containerEngine(host), signal);
  if (taken.length === 0) return { name: wanted };
  const name = `${wanted.slice(0, 35)}-${randomBase36(4)}`;
  return { name, warning: `A cluster called ${wanted} exists: this run's is called ${name}` };
}
