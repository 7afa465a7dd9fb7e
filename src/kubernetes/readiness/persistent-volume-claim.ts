import type { Failure } from "../../model/result.ts";
import { objectName, type PersistentVolumeClaim, type Pod } from "../api/api-object.ts";
import { latestEvent } from "./events.ts";
import { type Evidence, failed, type Judgement, pending, ready } from "./judgement.ts";
import { judgeMissing, missingObjectIn } from "./missing-object.ts";

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
    : pending("Pending", { failure });
}
