import type { Failure } from "../../model/result.ts";
import { conditionOf, type Pod, timeOf } from "../api/api-object.ts";
import { type Evidence, failedUnlessChanged, type Judgement } from "./judgement.ts";

/** A runtime or a kubelet that was restarted is back within this; the control plane itself waits 40 s for a silent one. */
const NODE_DOWN_MS = 40_000;

/**
 * What an unready pod waits for on a node that is down: nothing that it says itself can be believed, and nothing about it
 * is the fault of what runs in it. Undefined while its node is fine, or not known.
 */
export function judgeNode(pod: Pod, evidence: Evidence): Judgement | undefined {
  const name = pod.spec?.nodeName;
  if (!name) return undefined;
  const node = evidence.nodes()?.find(({ metadata }) => metadata.name === name);
  const condition = conditionOf(node?.status?.conditions, "Ready");
  if (condition === undefined || condition.status === "True") return undefined;
  const evidenceAt = timeOf(condition.lastTransitionTime);
  const failure: Failure = {
    code: "Infra",
    message: `Node ${name} is not ready: ${condition.message || condition.reason || "no reason given"}`,
    object: `Node/${name}`,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
    hint: "Look at the logs of its kubelet and its container runtime",
  };
  return failedUnlessChanged(NODE_DOWN_MS, `node ${name}`, "NodeNotReady", failure);
}
