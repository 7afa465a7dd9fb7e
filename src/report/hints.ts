import type { ReasonCode } from "../model/reason.ts";
import type { Failure } from "../model/result.ts";

/** What to try where the failure itself has no better advice and the log says nothing: docs/failures.md in a line. */
const HINTS: Readonly<Partial<Record<ReasonCode, string>>> = {
  Unschedulable:
    "Compare resources.requests, nodeSelector, affinity and tolerations with the nodes; --kind-config gives kind others",
  ContainerConfig:
    "Does the Tiltfile apply the Secret or ConfigMap, with that key and in that namespace? Is the command in the image?",
  VolumePending:
    "Do the claim's StorageClass and access mode exist (kubectl get storageclass), and the Secrets and ConfigMaps that are mounted?",
  OOMKilled: "Raise resources.limits.memory, or find what needs so much",
  ProbeFailed:
    "Does the process listen on the probe's port and path, on all addresses, within the probe's time?",
};

/** A failure with advice, its own or what its code suggests. */
export function withHint(failure: Failure): Failure {
  const hint = failure.hint ?? HINTS[failure.code];
  return hint === undefined ? failure : { ...failure, hint };
}
