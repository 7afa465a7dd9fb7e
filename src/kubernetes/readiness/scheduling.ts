import type { Failure } from "../../model/result.ts";
import { type ClusterEvent, conditionOf, type Node, type Pod, timeOf } from "../api/api-object.ts";
import { firstEventTime, latestEvent } from "./events.ts";
import { type Evidence, failedUnlessChanged, type Judgement, pending } from "./judgement.ts";
import { judgeMissing, missingObjectIn } from "./missing-object.ts";
import { judgeNoNode } from "./node.ts";
import { unprovisioned } from "./persistent-volume-claim.ts";

/** The scheduler tries again on every change of a node or pod: what stands this long will stand. */
const UNSCHEDULABLE_MS = 4_000;
/** Where we may not see the nodes. */
const UNKNOWN_NODES_MS = 30_000;

/** Taints that come and go with a node's health. */
const HEALTH_TAINT = /^node\.(?:kubernetes|cloudprovider\.kubernetes)\.io\//;
const UNBOUND_VOLUME =
  /unbound (?:immediate )?PersistentVolumeClaims|waiting for .*volume|binding volumes/i;
/** What the volume controller says of a claim that it cannot bind, and of others. */
const CLAIM_TROUBLE = ["ProvisioningFailed", "FailedBinding"];
/** Its reminders that somebody else must provision (`ExternalProvisioning`) take nothing back. */
const CLAIM_EVENTS = [
  ...CLAIM_TROUBLE,
  "WaitForFirstConsumer",
  "WaitForPodScheduled",
  "ProvisioningSucceeded",
];
const CAPACITY = /Insufficient |Too many pods|free ports/i;

/** Judges a pod that has no node yet. Undefined when it has one. */
export function judgeScheduling(pod: Pod, evidence: Evidence): Judgement | undefined {
  const condition = conditionOf(pod.status?.conditions, "PodScheduled");
  if (pod.spec?.nodeName || condition?.status === "True") return undefined;
  // While the scheduler waits for a volume to be made on the node that it has chosen, it says nothing of the pod.
  if (condition === undefined) return judgeClaims(pod, evidence) ?? unscheduled(pod);
  if (condition.reason === "SchedulingGated") return pending(condition.reason);
  const { namespace = "", name, uid } = pod.metadata;
  const message = condition.message ?? "no reason given";
  const evidenceAt = timeOf(condition.lastTransitionTime);
  const failure: Failure = {
    code: "Unschedulable",
    message: `Pod ${namespace}/${name} cannot be scheduled: ${message}`,
    object: `Pod/${namespace}/${name}`,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
  const summary = "Unschedulable";
  const missing = missingObjectIn(message);
  if (missing) {
    const volume: Failure = { ...failure, code: "VolumePending" };
    return judgeMissing(missing, namespace, { summary, uid, failure: volume }, evidence);
  }
  if (UNBOUND_VOLUME.test(message)) {
    const unbound: Failure = { ...failure, code: "VolumePending" };
    return judgeClaims(pod, evidence) ?? pending("VolumePending", { failure: unbound });
  }
  const noNode = judgeNoNode(evidence);
  if (noNode) return noNode;
  const ms = patience(message, pod, evidence);
  if (ms === undefined) return pending(summary, { failure });
  return failedUnlessChanged(ms, `unschedulable ${uid}`, summary, failure);
}

/** The scheduler says nothing only while it has not come to a pod yet, or waits for its volumes. */
function unscheduled({ metadata: { namespace = "", name }, spec }: Pod): Judgement {
  const claims = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim ? `PersistentVolumeClaim/${namespace}/${claim.claimName}` : [],
  );
  if (claims.length === 0) return pending("Pending");
  const message = `Pod ${namespace}/${name} waits for its volume: ${claims.join(", ")}`;
  const object = `Pod/${namespace}/${name}`;
  return pending("Pending", { failure: { code: "VolumePending", message, object } });
}

/** What the volume controller says of the claims of a pod: the scheduler only knows that they are unbound. */
function judgeClaims(pod: Pod, evidence: Evidence): Judgement | undefined {
  const { namespace = "", name, uid } = pod.metadata;
  for (const { persistentVolumeClaim: claim } of pod.spec?.volumes ?? []) {
    if (claim === undefined) continue;
    const events = evidence.eventsAbout("PersistentVolumeClaim", namespace, claim.claimName);
    const event = latestEvent(events, CLAIM_EVENTS);
    if (event === undefined || !CLAIM_TROUBLE.includes(event.reason ?? "")) continue;
    const why = `PersistentVolumeClaim/${namespace}/${claim.claimName}: ${event.message ?? event.reason}`;
    const evidenceAt = claimTroubleAt(event, pod);
    const failure: Failure = {
      code: "VolumePending",
      message: `Pod ${namespace}/${name} waits for its volume: ${why}`,
      object: `Pod/${namespace}/${name}`,
      ...(evidenceAt === undefined ? {} : { evidenceAt }),
    };
    const missing = missingObjectIn(event.message ?? "");
    if (missing === undefined) return unprovisioned("VolumePending", uid, failure, evidence);
    const subject = { summary: "VolumePending", uid, failure };
    return judgeMissing(missing, namespace, subject, evidence);
  }
  return undefined;
}

/** The claim may be older than this pod, and so may be the trouble with it. */
function claimTroubleAt(event: ClusterEvent, { metadata }: Pod): number | undefined {
  const at = firstEventTime(event);
  return at && Math.max(at, timeOf(metadata.creationTimestamp) ?? 0);
}

/** How long until an unschedulable pod is given up; undefined for as long as it takes. */
function patience(message: string, pod: Pod, evidence: Evidence): number | undefined {
  if (!evidence.staticNodes || scalesUp(pod, evidence)) return undefined;
  if (CAPACITY.test(message) && evidence.capacityMayFree()) return undefined;
  const nodes = evidence.nodes();
  if (nodes === undefined) return UNKNOWN_NODES_MS;
  return nodes.length === 0 || nodes.some(isComingUp) ? undefined : UNSCHEDULABLE_MS;
}

function scalesUp(pod: Pod, evidence: Evidence): boolean {
  return latestEvent(evidence.eventsOf(pod.metadata.uid), ["TriggeredScaleUp"]) !== undefined;
}

/** A node that may yet take pods: not ready, or tainted for its health. */
function isComingUp({ spec, status }: Node): boolean {
  if (conditionOf(status?.conditions, "Ready")?.status !== "True") return true;
  return (spec?.taints ?? []).some(
    ({ key }) => HEALTH_TAINT.test(key) && key !== "node.kubernetes.io/unschedulable",
  );
}
