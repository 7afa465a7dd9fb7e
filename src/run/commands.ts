import { PhaseFailure } from "../errors.ts";
import { type CommandSurroundings, runCommand } from "../local/index.ts";
import type { LocalResource } from "../model/plan.ts";
import type { PhaseName } from "../model/result.ts";
import type { RunCluster } from "./cluster.ts";
import type { Session } from "./session.ts";

/** The surroundings of commands: the environment after evaluation and, where there is a cluster, its kubeconfig. */
export type Surroundings = () => CommandSurroundings;

/**
 * Runs `cmd` of a local resource. One that fails before the cluster of this run was there may have needed it without
 * saying so: it is run once more when the API server answers, and that is told.
 */
export async function runLocalCommand(
  session: Session,
  resource: LocalResource,
  phase: PhaseName,
  cluster: RunCluster | undefined,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const command = resource.updateCmd!;
  const hadCluster = cluster === undefined || cluster.isReady;
  const once = () =>
    runCommand(
      command,
      surroundings(),
      session.host,
      {
        signal,
        onLine: (text) =>
          session.line({ resource: resource.name, phase, level: "info", source: "runtime", text }),
        onPid: (pid) => session.ownProcess(pid),
      },
      resource.isTest ? "TestFailed" : "CommandFailed",
    );
  try {
    await once();
  } catch (error) {
    if (hadCluster || !(error instanceof PhaseFailure)) throw error;
    session.notice("failed before the cluster was there: runs once more when it is", resource.name);
    await cluster.api(signal);
    await once();
  }
}
