import type { Failure } from "../../model/result.ts";
import type { Pod } from "../api/api-object.ts";
import { firstEventTime, latestEvent } from "./events.ts";
import { type Evidence, failedUnlessChanged, type Judgement, pending } from "./judgement.ts";
import { judgeMissing, missingObjectIn } from "./missing-object.ts";

/** `configmap references non-existent config key: k`: names the key but not the object. */
const MISSING_KEY = /references non-existent (?:secret|config) key: /;
const BAD_HOST_PATH = /hostPath type check failed/;
const TROUBLE = ["FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox"];
/** What the kubelet does once all volumes are there. */
const PROGRESS = ["Pulling", "Pulled", "Created", "Started"];
const FINAL_MS = 8_000;

/** Judges a pod whose containers wait to be created: the kubelet tells why only in events. */
export function judgeVolumes(pod: Pod, evidence: Evidence): Judgement | undefined {
  const event = latestEvent(evidence.eventsOf(pod.metadata.uid), [...TROUBLE, ...PROGRESS]);
  if (event === undefined || PROGRESS.includes(event.reason ?? "")) return undefined;
  const { namespace = "", name, uid } = pod.metadata;
  const message = (event.message ?? "").replace(/\s*\n\s*/g, " ");
  const sandbox = event.reason === "FailedCreatePodSandBox";
  const evidenceAt = firstEventTime(event);
  const failure: Failure = {
    code: sandbox ? "Infra" : "VolumePending",
    message: `Pod ${namespace}/${name}: ${message}`,
    object: `Pod/${namespace}/${name}`,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
  const summary = event.reason ?? "FailedMount";
  const missing = missingObjectIn(message);
  if (missing) return judgeMissing(missing, namespace, { summary, uid, failure }, evidence);
  if (MISSING_KEY.test(message) || BAD_HOST_PATH.test(message)) {
    return failedUnlessChanged(FINAL_MS, `volume ${uid} ${message}`, summary, failure);
  }
  return pending(summary, { failure });
}
