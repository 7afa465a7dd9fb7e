import type { Failure } from "../../model/result.ts";
import {
  type Condition,
  conditionOf,
  type Job,
  objectName,
  type Pod,
  timeOf,
} from "../api/api-object.ts";
import { latestEvent } from "./events.ts";
import { type Evidence, failed, type Judgement, pending, ready, worst } from "./judgement.ts";
import { failedPod, podReadiness } from "./pod.ts";
import { judgeRefused } from "./replicas.ts";

/** A Job is ready once it is complete and failed once its controller says so: its own retries (`backoffLimit`) are its own affair. */
export function jobReadiness(job: Job, pods: readonly Pod[], evidence: Evidence): Judgement {
  const { conditions } = job.status ?? {};
  const complete = isTrue(conditionOf(conditions, "Complete"));
  if (complete) return ready("Completed", timeOf(complete.lastTransitionTime));
  const failure =
    isTrue(conditionOf(conditions, "Failed")) ?? isTrue(conditionOf(conditions, "FailureTarget"));
  if (failure) return failed(failure.reason ?? "Failed", jobFailure(job, failure, pods, evidence));
  if (job.spec?.suspend) return pending("Suspended");
  return judgeRunning(job, pods, evidence);
}

/** A Job whose pods are wanted running (`pod_readiness='wait'`): ready as soon as they are, or when it is complete. */
export function jobServing(job: Job, pods: readonly Pod[], evidence: Evidence): Judgement {
  const judgement = jobReadiness(job, pods, evidence);
  const { ready: running = 0, active = 0 } = job.status ?? {};
  if (judgement.state !== "pending" || active === 0 || running < active) return judgement;
  return ready(`${running} pods ready`);
}

const isTrue = (condition: Condition | undefined) =>
  condition?.status === "True" ? condition : undefined;

function judgeRunning(job: Job, pods: readonly Pod[], evidence: Evidence): Judgement {
  const { succeeded = 0, failed: attempts = 0 } = job.status ?? {};
  const wanted = job.spec?.completions ?? 1;
  const limit = job.spec?.backoffLimit ?? 6;
  const retries = attempts > 0 ? `, ${attempts} failed of ${limit + 1} tries` : "";
  const summary = `${succeeded} of ${wanted} succeeded${retries}`;
  const alive = pods.filter(({ status }) => !["Failed", "Succeeded"].includes(status?.phase ?? ""));
  const judgements = alive.map((pod) => podReadiness(pod, [], evidence));
  const active = judgements.some((judgement) => judgement.active || judgement.state === "ready");
  const found = worst(judgements.filter(({ state }) => state !== "ready"));
  // What no retry mends is the end of it; a crash is for the Job's controller to count.
  if (found?.state === "failed" && found.failure?.code !== "OOMKilled")
    return { ...found, summary: `${summary}, ${found.summary}`, active };
  if (found?.failure) {
    return { ...found, state: "pending", summary: `${summary}, ${found.summary}`, active };
  }
  const last = attempts > 0 ? newestFailed(pods) : undefined;
  return (
    judgeRefused(job, summary, evidence) ??
    pending(summary, last ? { active, failure: failedPod(last, evidence) } : { active })
  );
}

function jobFailure(
  job: Job,
  condition: Condition,
  pods: readonly Pod[],
  evidence: Evidence,
): Failure {
  const object = objectName(job);
  const last = newestFailed(pods);
  const cause = last && failedPod(last, evidence);
  const why = condition.message ?? condition.reason ?? "no reason given";
  const evidenceAt = timeOf(condition.lastTransitionTime);
  return {
    code: "JobFailed",
    message: `${object} failed: ${why}${cause ? `; last: ${cause.message}` : ""}`,
    ...(cause?.detail === undefined ? {} : { detail: cause.detail }),
    object,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
}

function newestFailed(pods: readonly Pod[]): Pod | undefined {
  return pods
    .filter(({ status }) => status?.phase === "Failed")
    .toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
    .at(-1);
}

/** What a Job that is gone (`ttlSecondsAfterFinished`) had come to, if its last state or its events tell. */
export function deletedJobReadiness(job: Job, evidence: Evidence): Judgement | undefined {
  const judgement = jobReadiness(job, [], evidence);
  if (judgement.state !== "pending") return judgement;
  const event = latestEvent(evidence.eventsOf(job.metadata.uid), [
    "Completed",
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
  ]);
  if (event === undefined) return undefined;
  if (event.reason === "Completed") return ready("Completed");
  return failed(event.reason ?? "Failed", {
    code: "JobFailed",
    message: `${objectName(job)} failed: ${event.message ?? event.reason}`,
    object: objectName(job),
  });
}
