import type { Pod, Workload } from "../api/api-object.ts";
import { type Evidence, type Judgement, pending } from "./judgement.ts";
import { isUnobserved, rolledOut, rollingOut } from "./replicas.ts";

/** A ReplicaSet (or ReplicationController) of its own is ready when all its replicas are available. */
export function replicaSetReadiness(
  set: Workload,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  if (isUnobserved(set)) return pending("waiting for its controller");
  const wanted = set.spec?.replicas ?? 1;
  const { replicas = 0, availableReplicas = 0 } = set.status ?? {};
  const summary = `${availableReplicas} of ${wanted} ready`;
  return availableReplicas >= wanted && replicas <= wanted
    ? rolledOut(summary, pods)
    : rollingOut(set, summary, pods, evidence);
}
