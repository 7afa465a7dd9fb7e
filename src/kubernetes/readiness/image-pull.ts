import type { Failure } from "../../model/result.ts";
import type { ClusterEvent, Pod } from "../api/api-object.ts";
import { firstEventTime, latestEvent } from "./events.ts";
import {
  type Evidence,
  failed,
  failedUnlessChanged,
  type Judgement,
  pending,
} from "./judgement.ts";

/** What a container waits for when its image cannot be had. */
const PULL_REASONS = [
  "ErrImagePull",
  "ImagePullBackOff",
  "RegistryUnavailable",
  "ImageInspectError",
];
/** What no second try mends: bad names, images that are not there and must not be fetched. */
const FINAL_REASONS = ["InvalidImageName", "ErrImageNeverPull"];

/** Answers of registries that stay the same however often one asks. */
const FINAL_ANSWER =
  /not found|manifest unknown|NAME_UNKNOWN|repository does not exist|unauthorized|authentication required|authorization failed|access denied|pull access|insufficient_scope|403 Forbidden|401 Unauthorized|no match for platform|invalid reference format|invalid tag format|unsupported media type|not implemented: media type/i;
/** Trouble on the way there, even where the text also looks final (`lookup x: no such host`, a 404 of a proxy). */
const TROUBLE =
  /i\/o timeout|connection refused|connection reset|no such host|server misbehaving|TLS handshake|deadline exceeded|unexpected EOF|EOF$|temporary failure|no route to host|network is unreachable|too ?many ?requests|\b429\b|\b50[0234]\b|Service Unavailable|Bad Gateway|Gateway Time-?out|broken pipe|context canceled|no space left/i;

/** Trouble that lasts over the first try and two more (the kubelet waits 10 and 20 s between them). */
const TROUBLE_MS = 40_000;
/** A name server said that there is no such registry: one more try, since a resolver without upstream may say so too. */
const NO_HOST_MS = 15_000;

const OWN_REGISTRY_HINT = {
  hint: "The run's own registry does not answer the node: look at its log",
};

/** Whether a waiting reason is about the image. */
export function isImageReason(reason: string): boolean {
  return PULL_REASONS.includes(reason) || FINAL_REASONS.includes(reason);
}

/** Judges a container that waits for its image. */
export function judgeImage(
  pod: Pod,
  container: { readonly name: string; readonly image?: string | undefined },
  waiting: { readonly reason?: string; readonly message?: string },
  evidence: Evidence,
): Judgement {
  const reason = waiting.reason ?? "ErrImagePull";
  const { name, namespace = "" } = pod.metadata;
  // The kubelet tells of a container's state seconds after it has done something about it.
  if (isPulled(pod, container.name, evidence)) return pending(reason);
  const text = pullText(waiting.message, pod, evidence);
  const failure: Failure = {
    code: "ImagePull",
    message: `Pod ${namespace}/${name}: cannot ${reason === "InvalidImageName" ? "use" : "pull"} image "${container.image ?? ""}" of container "${container.name}": ${brief(text, reason)}`,
    ...(text === "" ? {} : { detail: text }),
    object: `Pod/${namespace}/${name}`,
    ...since(pod, container.name, evidence),
    ...hintFor(reason, text),
  };
  if (FINAL_REASONS.includes(reason)) return failed(reason, failure);
  if (TROUBLE.test(text) || !FINAL_ANSWER.test(text)) {
    const { ownRegistry } = evidence;
    const isOurs = ownRegistry !== undefined && container.image?.startsWith(`${ownRegistry}/`);
    return failedUnlessChanged(
      // our own registry exists, whatever a name server says while its container is down
      /no such host/.test(text) && !isOurs ? NO_HOST_MS : TROUBLE_MS,
      `image ${pod.metadata.uid} ${container.name}`,
      reason,
      isOurs ? { ...failure, code: "Infra", ...OWN_REGISTRY_HINT } : failure,
    );
  }
  const missingSecret = (pod.spec?.imagePullSecrets ?? []).some(
    ({ name: secret = "" }) =>
      evidence.exists("Secret", namespace, secret) === false &&
      evidence.mayStillAppear("Secret", namespace, secret),
  );
  return missingSecret ? pending(reason, { failure }) : failed(reason, failure);
}

/** When the kubelet first said that it cannot have the image. */
function since(
  { metadata }: Pod,
  container: string,
  evidence: Evidence,
): Pick<Failure, "evidenceAt"> {
  const event = evidence
    .eventsOf(metadata.uid)
    .find((one) => one.reason === "Failed" && concerns(one, container, true));
  const evidenceAt = event && firstEventTime(event);
  return evidenceAt === undefined ? {} : { evidenceAt };
}

const concerns = ({ involvedObject }: ClusterEvent, container: string, unlessTold: boolean) =>
  involvedObject.fieldPath?.includes(`{${container}}`) ?? unlessTold;

function isPulled({ metadata }: Pod, container: string, evidence: Evidence): boolean {
  const event = latestEvent(evidence.eventsOf(metadata.uid), ["Pulled", "Failed"], (event) =>
    concerns(event, container, false),
  );
  return event?.reason === "Pulled";
}

/** Older kubelets tell the cause only while the pull fails, not while they back off: an event has it then. */
function pullText(message: string | undefined, pod: Pod, evidence: Evidence): string {
  const text = message?.trim() ?? "";
  if (/: (?:ErrImagePull: )?(?:rpc error|failed to|pull)/.test(text) || FINAL_ANSWER.test(text))
    return text;
  const event = evidence
    .eventsOf(pod.metadata.uid)
    .findLast(({ message: said = "" }) => said.startsWith("Failed to pull image"));
  return event?.message ?? text;
}

/** The last, telling part of containerd's chain of causes. */
function brief(text: string, reason: string): string {
  if (text === "") return reason;
  const known =
    /(?:lookup \S+ on |[\w.:/@-]+: )?(?:[\d.[\]a-f:]+:53: )?(?:not found|manifest unknown|no such host|connection refused|i\/o timeout|unauthorized[^:]*)\W*$/i.exec(
      text,
    );
  const parts = text.split(": ");
  return (known?.[0] ?? parts.slice(-2).join(": ")).trim();
}

function hintFor(reason: string, text: string): { hint?: string } {
  if (reason === "ErrImageNeverPull")
    return { hint: "imagePullPolicy is Never and no node has the image" };
  if (/not found|manifest unknown|NAME_UNKNOWN/i.test(text) && !TROUBLE.test(text))
    return { hint: "Is the name right, and does a docker_build in the Tiltfile make it?" };
  return {};
}
