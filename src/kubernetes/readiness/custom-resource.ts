import type { Failure } from "../../model/result.ts";
import {
  type ApiObject,
  type Condition,
  conditionOf,
  objectName,
  type Pod,
  timeOf,
} from "../api/api-object.ts";
import { type Evidence, failed, type Judgement, pending, ready, worst } from "./judgement.ts";
import { podReadiness } from "./pod.ts";

/** A controller writes its first status within this time, or it writes none. */
const FIRST_STATUS_MS = 3_000;
/** Positive conditions that stand for the whole object, the most telling first. */
const GOOD = ["Ready", "Available", "Healthy", "Succeeded", "Complete", "Completed"];

interface StandardStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/**
 * A custom resource is judged by the conditions that Kubernetes' API conventions and kstatus know: a stale
 * `observedGeneration` or `Reconciling` means work in progress, `Stalled` the end of it. Without conditions its pods
 * decide, and without those it counts as ready unless a status is still to come.
 */
export function customResourceReadiness(
  object: ApiObject,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  const status = asStatus(object.status);
  const generation = object.metadata.generation ?? 0;
  if (status.observedGeneration !== undefined && status.observedGeneration < generation)
    return pending("waiting for its controller");
  const conditions = (status.conditions ?? []).filter(
    ({ observedGeneration }) =>
      observedGeneration === undefined || observedGeneration >= generation,
  );
  const stalled = conditionOf(conditions, "Stalled");
  if (stalled?.status === "True") return failed("Stalled", conditionFailure(object, stalled));
  const failing = conditionOf(conditions, "Failed");
  if (failing?.status === "True") return failed("Failed", conditionFailure(object, failing));
  if (conditionOf(conditions, "Reconciling")?.status === "True") return pending("Reconciling");
  const good = GOOD.map((type) => conditionOf(conditions, type)).find(
    (condition) => condition !== undefined,
  );
  if (good?.status === "True") return ready(good.type, timeOf(good.lastTransitionTime));
  const found = worst(pods.map((pod) => podReadiness(pod, [], evidence)));
  if (good !== undefined) {
    const telling = found?.state === "failed" || found?.state === "crashing" ? found : undefined;
    return telling ?? pending(`not ${good.type}`, { failure: conditionFailure(object, good) });
  }
  if (found !== undefined) return found;
  return object.status === undefined ? expectStatus(object) : ready("no conditions");
}

function expectStatus(object: ApiObject): Judgement {
  return pending("applied", {
    standing: { key: `status ${object.metadata.uid}`, ms: FIRST_STATUS_MS, becomes: "ready" },
  });
}

function asStatus(status: unknown): StandardStatus {
  if (typeof status !== "object" || status === null) return {};
  const { observedGeneration, conditions } = status as StandardStatus;
  return {
    ...(typeof observedGeneration === "number" ? { observedGeneration } : {}),
    ...(Array.isArray(conditions) ? { conditions } : {}),
  };
}

function conditionFailure(object: ApiObject, condition: Condition): Failure {
  const { type, status, reason, message, lastTransitionTime } = condition;
  const name = objectName(object);
  const evidenceAt = timeOf(lastTransitionTime);
  return {
    code: "PodFailed",
    message: `${name}: ${type} is ${status}${reason ? ` (${reason})` : ""}${message ? `: ${message}` : ""}`,
    object: name,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
}
