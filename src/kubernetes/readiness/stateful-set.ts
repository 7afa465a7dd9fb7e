import type { Pod, Workload } from "../api/api-object.ts";
import { type Evidence, type Judgement, pending } from "./judgement.ts";
import { isUnobserved, rolledOut, rollingOut } from "./replicas.ts";

/** A StatefulSet is ready when every pod down to its partition is of the new revision and all are available. */
export function statefulSetReadiness(
  set: Workload,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  if (isUnobserved(set)) return pending("waiting for its controller");
  const { spec = {}, status = {} } = set;
  const wanted = spec.replicas ?? 1;
  const { readyReplicas = 0, updatedReplicas = 0, replicas = 0 } = status;
  const available = status.availableReplicas ?? readyReplicas;
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const onDelete = spec.updateStrategy?.type === "OnDelete";
  const toUpdate = onDelete ? 0 : Math.max(0, wanted - partition);
  const settled =
    onDelete || partition > 0 || wanted === 0 || status.currentRevision === status.updateRevision;
  const summary =
    updatedReplicas < toUpdate
      ? `${updatedReplicas} of ${toUpdate} updated`
      : `${Math.min(available, wanted)} of ${wanted} ready`;
  const complete =
    updatedReplicas >= toUpdate && available >= wanted && replicas <= wanted && settled;
  return complete ? rolledOut(summary, pods) : rollingOut(set, summary, pods, evidence);
}
