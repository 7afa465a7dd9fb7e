import type { Failure } from "../../model/result.ts";
import { conditionOf, objectName, type Pod, timeOf, type Workload } from "../api/api-object.ts";
import { type Evidence, failed, type Judgement, pending } from "./judgement.ts";
import { isUnobserved, rolledOut, rollingOut } from "./replicas.ts";

/** A Deployment is ready when all its replicas are of the new template, available, and none of the old are left (as `kubectl rollout status`). */
export function deploymentReadiness(
  deployment: Workload,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  if (isUnobserved(deployment)) return pending("waiting for its controller");
  const { spec = {}, status = {} } = deployment;
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const old = replicas - updatedReplicas;
  const summary = summarize(wanted, updatedReplicas, old, availableReplicas);
  if (updatedReplicas >= wanted && old <= 0 && availableReplicas >= updatedReplicas)
    return rolledOut(summary, pods);
  const judgement = rollingOut(deployment, summary, pods, evidence);
  const progress = conditionOf(status.conditions, "Progressing");
  if (progress?.reason !== "ProgressDeadlineExceeded" || judgement.state === "failed")
    return spec.paused ? { ...judgement, summary: `paused, ${judgement.summary}` } : judgement;
  return failed(
    `${summary}, ProgressDeadlineExceeded`,
    judgement.failure ?? deadlineFailure(deployment, timeOf(progress.lastTransitionTime)),
  );
}

function summarize(wanted: number, updated: number, old: number, available: number): string {
  if (updated < wanted) return `${updated} of ${wanted} updated`;
  if (old > 0) return `${old} old to end`;
  return `${available} of ${wanted} ready`;
}

function deadlineFailure(deployment: Workload, evidenceAt: number | undefined): Failure {
  const object = objectName(deployment);
  return {
    code: "Timeout",
    message: `${object} made no progress within its progressDeadlineSeconds`,
    object,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
}
