import type { Failure } from "../../model/result.ts";
import {
  type ApiObject,
  conditionOf,
  objectName,
  type Pod,
  type Workload,
} from "../api/api-object.ts";
import { firstEventTime, latestEvent } from "./events.ts";
import {
  type Evidence,
  failedUnlessChanged,
  type Judgement,
  pending,
  ready,
  worst,
} from "./judgement.ts";
import { judgeMissing, missingObjectIn } from "./missing-object.ts";
import { podReadiness } from "./pod.ts";

/** Controllers try again with growing pauses; a quota or policy that refuses pods says the same each time. */
const REFUSED_MS = 8_000;
/** What passes by itself: caches that lag, webhooks that start, a namespace whose accounts are being made. */
const PASSING =
  /error looking up service account \S+\/default|no API token found|failed calling webhook|object has been modified|timed? ?out|connection refused/i;
/** Where the Service of a webhook is that could not be called. */
const WEBHOOK_NAMESPACE = /webhook\b.* Post "https:\/\/[a-z0-9-]+\.([a-z0-9-]+)\.svc[:/]/s;
/** So many pods of one rollout evicted or failed, and the node will do the same to the next. */
const MANY_FAILED_PODS = 3;

/** The controller has not yet seen the spec that we applied: what its status says is about an older one. */
export function isUnobserved({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);
}

/** A rollout that is complete. The time is that of the last pod to become ready. */
export function rolledOut(summary: string, pods: readonly Pod[]): Judgement {
  const times = pods.flatMap((pod) => {
    const condition = conditionOf(pod.status?.conditions, "Ready");
    return condition?.lastTransitionTime ? [Date.parse(condition.lastTransitionTime)] : [];
  });
  return ready(summary, times.length === 0 ? undefined : Math.max(...times));
}

/** A rollout that is not complete: the worst of its pods tells why, else what its controller says of creating them. */
export function rollingOut(
  object: ApiObject,
  summary: string,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  // What is being deleted is being replaced, however it ends.
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const judgements = staying.map((pod) => judgeReplica(pod, evidence));
  const active = judgements.some((judgement) => judgement.active);
  const found = worst(judgements.filter(({ state }) => state !== "ready"));
  const text = found === undefined ? summary : `${summary}, ${found.summary}`;
  if (found?.state === "failed" || found?.state === "crashing" || found?.failure)
    return { ...found, summary: text, active };
  return (
    manyFailed(staying, evidence, summary) ??
    judgeRefused(object, summary, evidence) ??
    pending(text, { active })
  );
}

/** A pod whose controller replaces it when it fails: its failing is no failure of the rollout. */
function judgeReplica(pod: Pod, evidence: Evidence): Judgement {
  if (pod.status?.phase === "Failed") return pending(pod.status.reason ?? "Failed");
  return podReadiness(pod, [], evidence);
}

function manyFailed(
  pods: readonly Pod[],
  evidence: Evidence,
  summary: string,
): Judgement | undefined {
  const gone = pods.filter(({ status }) => status?.phase === "Failed");
  if (gone.length < MANY_FAILED_PODS) return undefined;
  const judgement = podReadiness(gone.at(-1)!, [], evidence);
  return { ...judgement, summary: `${summary}, ${gone.length} pods ${judgement.summary}` };
}

/** The controller may not create pods: quota, admission, a missing ServiceAccount. */
export function judgeRefused(
  object: ApiObject,
  summary: string,
  evidence: Evidence,
): Judgement | undefined {
  const conditions = (object.status as Workload["status"])?.conditions;
  const condition = conditionOf(conditions, "ReplicaFailure");
  const event = latestEvent(evidence.eventsOf(object.metadata.uid), [
    "FailedCreate",
    "SuccessfulCreate",
  ]);
  const failing = event?.reason === "FailedCreate" ? event : undefined;
  const message = condition?.status === "True" ? condition.message : failing?.message;
  if (message === undefined) return undefined;
  const evidenceAt =
    (condition?.lastTransitionTime && Date.parse(condition.lastTransitionTime)) ||
    (failing && firstEventTime(failing));
  const failure: Failure = {
    code: "ApplyRejected",
    message: `${objectName(object)} cannot create pods: ${message}`,
    object: objectName(object),
    ...(evidenceAt ? { evidenceAt } : {}),
  };
  const { uid, namespace = "" } = object.metadata;
  const text = `${summary}, FailedCreate`;
  const missing = missingObjectIn(message);
  const server = WEBHOOK_NAMESPACE.exec(message)?.[1];
  // Only where nothing else brings Services is a webhook without one given up.
  const isGone = missing?.kind === "Service" && server !== undefined && evidence.nobodyElse;
  if (PASSING.test(message) && !isGone) return pending(text, { failure });
  const subject = { summary: text, uid, failure };
  if (missing) return judgeMissing(missing, server ?? namespace, subject, evidence);
  return failedUnlessChanged(REFUSED_MS, `refused ${uid} ${anyPod(message)}`, text, failure);
}

/** The next try is for a pod of another name, and refused for the same reason. */
const anyPod = (message: string) => message.replace(/\bpods? "[^"]+"/g, "pod");
