import type { ReadinessMode } from "../../model/plan.ts";
import type { Failure } from "../../model/result.ts";
import type { ApiObject, Job, Pod } from "../api/api-object.ts";
import { containersOf, judgeDown, judgeTrust } from "./container.ts";
import { deletedJobReadiness } from "./job.ts";
import {
  type Evidence,
  failedUnlessChanged,
  type Judgement,
  pending,
  ready,
  worst,
} from "./judgement.ts";
import { podReadiness } from "./pod.ts";
import { judgeCompletion, type KindRule, ruleFor } from "./rules.ts";

/** An object of a resource as the cache has it now. */
export interface ObservedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly uid: string;
  /** `Kind/namespace/name`. */
  readonly label: string;
  /** Its last known state; undefined until the watch has brought it. */
  readonly live: ApiObject | undefined;
  /** It is not on the server any more. */
  readonly gone: boolean;
  /** Pods of its current revision, oldest first. */
  readonly pods: readonly Pod[];
}

/** All that a resource consists of at one instant. */
export interface ObservedResource {
  readonly mode: ReadinessMode;
  readonly discoveryStrategy: "default" | "selectors-only";
  readonly hasSelectors: boolean;
  readonly objects: readonly ObservedObject[];
  /** Pods that only the extra selectors found. */
  readonly selected: readonly Pod[];
}

/** Somebody deletes and makes anew: what stays away this long is gone for good. */
const DELETED_MS = 5_000;

/**
 * Judges a resource strictly: all its objects by the rules of their kinds, and all pods that its selectors find.
 * `pod_readiness='ignore'` leaves out what makes pods; what else has a state of its own still counts.
 */
export function judgeResource(resource: ObservedResource, evidence: Evidence): Judgement {
  const { mode, discoveryStrategy, objects, selected, hasSelectors } = resource;
  const skipWorkloads = mode === "ignore" || discoveryStrategy === "selectors-only";
  const judgements = objects.flatMap((object) => {
    const rule = ruleFor(object);
    return rule === undefined || (rule.workload && skipWorkloads)
      ? []
      : [judgeObject(mode, object, rule, evidence)];
  });
  if (mode !== "ignore" && hasSelectors) judgements.push(judgeSelected(resource, evidence));
  const speaker = worst(judgements);
  if (speaker === undefined)
    return ready(mode === "ignore" || selected.length === 0 ? "applied" : "ready");
  if (speaker.state !== "ready")
    return { ...speaker, active: judgements.some(({ active }) => active) };
  const times = judgements.flatMap(({ readySince }) => readySince ?? []);
  const summary = judgements.length === 1 ? speaker.summary : "ready";
  return ready(summary, times.length === 0 ? undefined : Math.max(...times));
}

function judgeObject(
  mode: ReadinessMode,
  object: ObservedObject,
  rule: KindRule,
  evidence: Evidence,
): Judgement {
  const { live, gone } = object;
  if (gone) return judgeGone(object, evidence);
  if (live === undefined) return pending("applied");
  if (live.metadata.deletionTimestamp !== undefined && object.kind !== "Pod") {
    return judgeDeleted(object);
  }
  const judgement = rule.judge(mode, live, object.pods, evidence);
  const distrusted = judgement.state === "ready" && rule.workload && mode === "wait";
  return (distrusted && worst(recentlyCrashed(object.pods, evidence))) || judgement;
}

/** What containers say against it: one has just crashed, or is down now and its pod's condition has not followed yet. */
function recentlyCrashed(pods: readonly Pod[], evidence: Evidence): Judgement[] {
  return pods
    .filter(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === "Running")
    .flatMap(containersOf)
    .flatMap((view) => judgeTrust(view, evidence) ?? judgeDown(view, evidence) ?? []);
}

function judgeGone(object: ObservedObject, evidence: Evidence): Judgement {
  const { live, kind } = object;
  if (kind === "Job" && live !== undefined) {
    const judgement = deletedJobReadiness(live as Job, evidence);
    if (judgement !== undefined) return judgement;
  }
  // A finished pod's verdict outlives it.
  const phase = kind === "Pod" ? (live as Pod | undefined)?.status?.phase : undefined;
  if (phase === "Succeeded" || phase === "Failed") return podReadiness(live as Pod, [], evidence);
  return judgeDeleted(object);
}

function judgeDeleted({ label, uid }: ObservedObject): Judgement {
  const failure: Failure = {
    code: "PodFailed",
    message: `${label} was deleted by someone else after it was applied`,
    object: label,
  };
  return failedUnlessChanged(DELETED_MS, `deleted ${uid}`, "Deleted", failure);
}

function judgeSelected(
  { mode, objects, selected }: ObservedResource,
  evidence: Evidence,
): Judgement {
  if (mode === "succeeded") return judgeCompletion(selected, evidence);
  const owned = objects.some(({ pods }) => pods.length > 0);
  const judgement = worst([
    ...selected.map((pod) => podReadiness(pod, [], evidence)),
    ...recentlyCrashed(selected, evidence),
  ]);
  return judgement ?? (owned ? ready("ready") : pending("waiting for a pod"));
}
