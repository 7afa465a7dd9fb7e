import type { Pod, Workload } from "../api/api-object.ts";
import { type Evidence, type Judgement, pending } from "./judgement.ts";
import { isUnobserved, rolledOut, rollingOut } from "./replicas.ts";

/** A DaemonSet is ready when each node that should run it does, with the new template (unless pods change only OnDelete). */
export function daemonSetReadiness(
  set: Workload,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  if (isUnobserved(set)) return pending("waiting for its controller");
  const { spec = {}, status = {} } = set;
  const wanted = status.desiredNumberScheduled ?? 0;
  const updated =
    spec.updateStrategy?.type === "OnDelete" ? wanted : (status.updatedNumberScheduled ?? 0);
  const available = status.numberAvailable ?? 0;
  const summary =
    updated < wanted ? `${updated} of ${wanted} updated` : `${available} of ${wanted} ready`;
  return updated >= wanted && available >= wanted
    ? rolledOut(summary, pods)
    : rollingOut(set, summary, pods, evidence);
}
