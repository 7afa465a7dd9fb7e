import type { ReasonCode } from "../../model/reason.ts";
import type { Failure } from "../../model/result.ts";
import type { Pod } from "../api/api-object.ts";
import { firstEventTime, latestEvent } from "./events.ts";
import { type Evidence, failedUnlessChanged, type Judgement, pending } from "./judgement.ts";
import { judgeMissing, type MissingObject, missingObjectIn } from "./missing-object.ts";

/** `… for volume "v" : configmap references non-existent config key: k`: names the key but not the object. */
const MISSING_KEY =
  /(?:for volume "(?<volume>[^"]+)".*)?references non-existent (?:secret|config) key: (?<key>\S+)/;
/** The node's container runtime has no such handler: its RuntimeClass names one that was not set up. */
const NO_RUNTIME = /no runtime for "[^"]*" is configured|RuntimeHandler "[^"]*" not supported/;
const FINAL = [MISSING_KEY, NO_RUNTIME, /hostPath type check failed/];
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
  const missing = missingKeyIn(message, pod) ?? missingObjectIn(message);
  const evidenceAt = firstEventTime(event);
  const failure: Failure = {
    code: codeOf(event.reason, message, missing),
    message: `Pod ${namespace}/${name}: ${keyText(missing, namespace)}${message}`,
    object: `Pod/${namespace}/${name}`,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
  const summary = event.reason ?? "FailedMount";
  if (missing) return judgeMissing(missing, namespace, { summary, uid, failure }, evidence);
  if (FINAL.some((sign) => sign.test(message))) {
    return failedUnlessChanged(FINAL_MS, `volume ${uid} ${message}`, summary, failure);
  }
  return pending(summary, { failure });
}

/** A Secret or ConfigMap is configuration, however it gets into the container. */
function codeOf(
  reason: string | undefined,
  message: string,
  missing: MissingObject | undefined,
): ReasonCode {
  const isConfig = missing?.kind === "Secret" || missing?.kind === "ConfigMap";
  if (isConfig || MISSING_KEY.test(message) || NO_RUNTIME.test(message)) return "ContainerConfig";
  return reason === "FailedCreatePodSandBox" ? "Infra" : "VolumePending";
}

/** The key that a volume wants of an object that does not have it. */
function missingKeyIn(message: string, { spec }: Pod): MissingObject | undefined {
  const { volume, key } = MISSING_KEY.exec(message)?.groups ?? {};
  const { configMap, secret } = spec?.volumes?.find(({ name }) => name === volume) ?? {};
  if (key === undefined) return undefined;
  if (configMap?.name) return { kind: "ConfigMap", name: configMap.name, key };
  return secret?.secretName ? { kind: "Secret", name: secret.secretName, key } : undefined;
}

const keyText = (missing: MissingObject | undefined, namespace: string) =>
  missing?.key === undefined
    ? ""
    : `${missing.kind} ${namespace}/${missing.name} has no key "${missing.key}": `;
