import type { Failure } from "../../model/result.ts";
import { conditionOf, type Node, type Pod, timeOf } from "../api/api-object.ts";
import { type Evidence, failedUnlessChanged, type Judgement } from "./judgement.ts";

/** A runtime or a kubelet that was restarted is back within this; the control plane itself waits 40 s for a silent one. */
const NODE_DOWN_MS = 40_000;
/** A node that boots is ready 5 to 20 s after its API server answers, on a busy machine later. */
const NO_NODE_MS = 120_000;
/** Workers join a cluster a while after its control plane. */
const UNKNOWN_NODE_MS = 15_000;

/**
 * What an unready pod waits for on a node that is down: nothing that it says itself can be believed, and nothing about it
 * is the fault of what runs in it. Undefined while its node is fine, or not known.
 */
export function judgeNode(pod: Pod, evidence: Evidence): Judgement | undefined {
  const name = pod.spec?.nodeName;
  if (!name) return undefined;
  const nodes = evidence.nodes();
  const node = nodes?.find(({ metadata }) => metadata.name === name);
  if (nodes && nodes.length > 0 && node === undefined && evidence.staticNodes)
    return judgeUnknownNode(pod, name);
  const failure = downBy(node);
  return failure && failedUnlessChanged(NODE_DOWN_MS, `node ${name}`, "NodeNotReady", failure);
}

/** Bound by its own `nodeName`, past the scheduler: nobody else tells that there is no such node. */
function judgeUnknownNode({ metadata: { name, namespace = "" } }: Pod, node: string): Judgement {
  return failedUnlessChanged(UNKNOWN_NODE_MS, `no node ${node}`, "NodeUnknown", {
    code: "Unschedulable",
    message: `Pod ${namespace}/${name} is bound to node "${node}", which does not exist`,
    object: `Pod/${namespace}/${name}`,
    hint: "Its nodeName is wrong: a nodeSelector or nothing leaves the choice to the scheduler",
  });
}

/** What a pod without a node waits for when none of those that there are is ready, and no others will come. */
export function judgeNoNode(evidence: Evidence): Judgement | undefined {
  const nodes = evidence.staticNodes ? (evidence.nodes() ?? []) : [];
  const failures = nodes.map(downBy);
  const [first] = failures;
  if (first === undefined || failures.includes(undefined)) return undefined;
  return failedUnlessChanged(NO_NODE_MS, "no node is ready", "Unschedulable", first);
}

function downBy(node: Node | undefined): Failure | undefined {
  const condition = conditionOf(node?.status?.conditions, "Ready");
  if (node === undefined || condition === undefined || condition.status === "True")
    return undefined;
  const { name } = node.metadata;
  const evidenceAt = timeOf(condition.lastTransitionTime);
  return {
    code: "Infra",
    message: `Node ${name} is not ready: ${condition.message || condition.reason || "no reason given"}`,
    object: `Node/${name}`,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
    hint: "Look at the logs of its kubelet and its container runtime",
  };
}
