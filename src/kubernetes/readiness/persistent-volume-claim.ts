import type { Failure } from "../../model/result.ts";
import { objectName, type PersistentVolumeClaim, type Pod } from "../api/api-object.ts";
import { latestEvent } from "./events.ts";
import {
  type Evidence,
  failed,
  failedUnlessChanged,
  type Judgement,
  pending,
  ready,
} from "./judgement.ts";
import { judgeMissing, missingObjectIn } from "./missing-object.ts";

/** A provisioner tries again after 15 s; what it says twice, with nobody there to change anything, is its answer. */
const PROVISION_MS = 20_000;

/** Reasons with which the volume controller says that it waits for a pod, not for storage. */
const WAITS_FOR_POD = ["WaitForFirstConsumer", "WaitForPodScheduled"];

/** A claim is ready when it is bound, or when only a pod that uses it can bind it. */
export function persistentVolumeClaimReadiness(
  claim: PersistentVolumeClaim,
  _pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  const phase = claim.status?.phase ?? "Pending";
  if (phase === "Bound") return ready("Bound");
  const object = objectName(claim);
  if (phase === "Lost") {
    const message = `${object} has lost its volume ${claim.spec?.volumeName ?? ""}`.trim();
    return failed("Lost", { code: "VolumePending", message, object });
  }
  const event = latestEvent(evidence.eventsOf(claim.metadata.uid), [
    ...WAITS_FOR_POD,
    "ProvisioningFailed",
    "FailedBinding",
  ]);
  if (event === undefined) return pending("Pending");
  if (WAITS_FOR_POD.includes(event.reason ?? "")) return ready("waiting for a pod to use it");
  const failure: Failure = {
    code: "VolumePending",
    message: `${object}: ${event.message ?? event.reason}`,
    object,
  };
  const missing = missingObjectIn(event.message ?? "");
  const { uid, namespace = "" } = claim.metadata;
  return missing
    ? judgeMissing(missing, namespace, { summary: "Pending", uid, failure }, evidence)
    : unprovisioned("Pending", uid, failure, evidence);
}

/** A claim that nothing provisions, for a reason that names no object. */
export function unprovisioned(
  summary: string,
  uid: string,
  failure: Failure,
  evidence: Evidence,
): Judgement {
  // A command may make the volume, and so may whoever else uses the cluster.
  const isFinal = evidence.nobodyElse && !evidence.mayStillAppear("PersistentVolume", "", "");
  return isFinal
    ? failedUnlessChanged(PROVISION_MS, `unprovisioned ${uid}`, summary, failure)
    : pending(summary, { failure });
}
