import type { Failure } from "../../model/result.ts";
import type { ClusterEvent, Node, Pod } from "../api/api-object.ts";

/** A state of affairs that means something only when it lasts. */
export interface Standing {
  /** Stays the same for as long as the state of affairs does. */
  readonly key: string;
  readonly ms: number;
  readonly becomes: "failed" | "ready";
}

/** What objects say at one instant. */
export interface Judgement {
  readonly state: "pending" | "ready" | "failed" | "crashing";
  /** A short word, kubectl style. */
  readonly summary: string;
  readonly failure?: Failure;
  /** A process runs but is not ready. */
  readonly active?: boolean;
  /** It turns into another state when `key` has stood for `ms`. */
  readonly standing?: Standing;
  /** What else has begun to stand, in objects that this judgement does not speak of. */
  readonly also?: readonly Standing[];
  /** Epoch ms of the last condition, for `ready`. */
  readonly readySince?: number;
}

/** All that rules may look at beside the object and its pods. Answers come from caches. */
export interface Evidence {
  /** Events about an object, oldest first. */
  eventsOf(uid: string): readonly ClusterEvent[];
  /** The same by name, for objects that are not watched. */
  eventsAbout(kind: string, namespace: string, name: string): readonly ClusterEvent[];
  /** Undefined while they are not known. */
  nodes(): readonly Node[] | undefined;
  /** No autoscaler adds nodes. */
  readonly staticNodes: boolean;
  /** No controller, person or server creates objects here that this run does not plan. */
  readonly nobodyElse: boolean;
  /** As image references name it in this cluster: a registry of the run's own, which nobody else can be blamed for. */
  readonly ownRegistry?: string | undefined;
  /** A pod that ends by itself, or is being ended, still holds resources of a node. */
  capacityMayFree(): boolean;
  /** Something of this run that has not finished yet may create that object. */
  mayStillAppear(kind: string, namespace: string, name: string): boolean;
  /** Whether an object exists now; undefined while that is not known. */
  exists(kind: string, namespace: string, name: string): boolean | undefined;
  /** How often a container had ended before the deploy that is judged. */
  endsBefore(podUid: string, container: string): number;
}

export function pending(
  summary: string,
  more: Omit<Judgement, "state" | "summary"> = {},
): Judgement {
  return { state: "pending", summary, ...more };
}

export function ready(summary: string, readySince?: number): Judgement {
  return { state: "ready", summary, ...(readySince === undefined ? {} : { readySince }) };
}

export function failed(summary: string, failure: Failure): Judgement {
  return { state: "failed", summary, failure };
}

/** A pending that counts as failed unless it changes within `ms`. */
export function failedUnlessChanged(
  ms: number,
  key: string,
  summary: string,
  failure: Failure,
): Judgement {
  return { state: "pending", summary, failure, standing: { key, ms, becomes: "failed" } };
}

/** A rule: what an object of one kind says, with the pods of its current revision. */
export type ReadinessRule<T> = (object: T, pods: readonly Pod[], evidence: Evidence) => Judgement;

const WORST_FIRST = ["failed", "crashing", "pending", "ready"] as const;

/** The judgement that speaks for all: the worst state, within it the one that can say why. */
export function worst(judgements: readonly Judgement[]): Judgement | undefined {
  const rank = ({ state, failure, standing }: Judgement) =>
    WORST_FIRST.indexOf(state) * 4 + (standing?.becomes === "failed" ? 0 : failure ? 1 : 2);
  const speaker = judgements.toSorted((a, b) => rank(a) - rank(b))[0];
  if (speaker === undefined) return undefined;
  const also = judgements.flatMap((judgement) => [
    ...(judgement !== speaker && judgement.standing ? [judgement.standing] : []),
    ...(judgement.also ?? []),
  ]);
  return also.length === 0 ? speaker : { ...speaker, also };
}
