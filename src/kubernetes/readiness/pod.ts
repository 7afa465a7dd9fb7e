import type { PodSummary } from "../../model/event.ts";
import type { Failure } from "../../model/result.ts";
import { conditionOf, type Pod, timeOf } from "../api/api-object.ts";
import {
  type ContainerView,
  containersOf,
  crashFailure,
  isBadEnd,
  isSidecar,
  judgeContainer,
  judgeTrust,
  lastEnd,
  probeFailure,
} from "./container.ts";
import { type Evidence, failed, type Judgement, pending, ready, worst } from "./judgement.ts";
import { judgeNode } from "./node.ts";
import { judgeScheduling } from "./scheduling.ts";
import { judgeVolumes } from "./volumes.ts";

/** A pod is ready when its containers are and its readiness gates are open, or when all of it has succeeded. */
export function podReadiness(pod: Pod, _pods: readonly Pod[], evidence: Evidence): Judgement {
  const phase = pod.status?.phase ?? "Pending";
  if (phase === "Failed") return failed(pod.status?.reason ?? "Error", failedPod(pod, evidence));
  if (phase === "Succeeded") return ready("Completed", lastFinish(pod));
  if (pod.metadata.deletionTimestamp !== undefined) return pending("Terminating");
  const condition = conditionOf(pod.status?.conditions, "Ready");
  if (condition?.status === "True") return ready("Running", timeOf(condition.lastTransitionTime));
  const judgement = judgeUnready(pod, evidence);
  return judgement.state === "pending" ? (judgeNode(pod, evidence) ?? judgement) : judgement;
}

/** A pod that has to end: ready when it has succeeded. */
export function podCompletion(pod: Pod, pods: readonly Pod[], evidence: Evidence): Judgement {
  const judgement = podReadiness(pod, pods, evidence);
  return judgement.state === "ready" && pod.status?.phase !== "Succeeded"
    ? pending("Running", { active: true })
    : judgement;
}

function judgeUnready(pod: Pod, evidence: Evidence): Judgement {
  const scheduling = judgeScheduling(pod, evidence);
  if (scheduling !== undefined) return scheduling;
  const views = containersOf(pod);
  if (views.length === 0) return judgeVolumes(pod, evidence) ?? pending("ContainerCreating");
  const judgement = worst(
    views.flatMap((view) => {
      const one = judgeContainer(view, evidence);
      return one === undefined ? [] : [one];
    }),
  );
  const active = views.some(({ init, status }) => !init && status.state?.running !== undefined);
  if (judgement !== undefined && (judgement.state !== "pending" || judgement.failure))
    return { ...judgement, active };
  const lagging = active && views.every(({ init, status }) => init || status.ready);
  const recent = lagging
    ? worst(views.flatMap((view) => judgeTrust(view, evidence) ?? []))
    : undefined;
  // The pod's condition follows its containers a moment later: until then it is as it was.
  if (recent?.failure)
    return { state: "crashing", summary: recent.summary, failure: recent.failure, active };
  const creating = views.every(({ status }) => status.state?.waiting || status.state?.terminated);
  const volumes = creating ? judgeVolumes(pod, evidence) : undefined;
  return volumes ?? judgeStarting(views, judgement, active, evidence);
}

function judgeStarting(
  views: readonly ContainerView[],
  judgement: Judgement | undefined,
  active: boolean,
  evidence: Evidence,
): Judgement {
  const init = views.filter((view) => view.init);
  const done = init.filter(({ status }) => status.state?.terminated?.exitCode === 0);
  const blocking = init.find(({ status }) => status.state?.running && !status.ready);
  if (blocking !== undefined) return pending(`Init:${done.length}/${init.length}`);
  if (!active) return judgement ?? pending("ContainerCreating");
  const running = views.filter(({ status }) => status.state?.running && !status.ready);
  const failure = running
    .map((view) => probeFailure(view, evidence))
    .find((found) => found !== undefined);
  const apps = views.filter((view) => !view.init);
  const summary = `${apps.filter(({ status }) => status.ready).length}/${apps.length} containers ready`;
  return pending(summary, failure === undefined ? { active } : { active, failure });
}

/** Why a pod in phase Failed did: evicted, past its deadline, or a container's end. */
export function failedPod(pod: Pod, evidence: Evidence): Failure {
  const { namespace = "", name } = pod.metadata;
  const { reason, message } = pod.status ?? {};
  const object = `Pod/${namespace}/${name}`;
  const views = containersOf(pod);
  const culprit = views.find((view) => {
    const last = lastEnd(view);
    return last !== undefined && isBadEnd(view, last);
  });
  const end = culprit && lastEnd(culprit);
  if (reason !== undefined && reason !== "Error") {
    const text = `Pod ${namespace}/${name} failed: ${reason}${message ? `: ${message}` : ""}`;
    const evidenceAt =
      timeOf(end?.finishedAt) ??
      timeOf(conditionOf(pod.status?.conditions, "DisruptionTarget")?.lastTransitionTime);
    return { code: "PodFailed", message: text, object, ...(evidenceAt ? { evidenceAt } : {}) };
  }
  if (culprit === undefined || end === undefined)
    return { code: "PodFailed", message: `Pod ${namespace}/${name} failed`, object };
  return crashFailure(culprit, end, 1, evidence);
}

function lastFinish(pod: Pod): number | undefined {
  const times = containersOf(pod).flatMap((view) => timeOf(lastEnd(view)?.finishedAt) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** What reports show of a pod. Times are the API's. */
export function summarizePod(pod: Pod): PodSummary {
  const { status = {}, spec = {}, metadata } = pod;
  const at = (type: string) => {
    const condition = conditionOf(status.conditions, type);
    return condition?.status === "True" ? timeOf(condition.lastTransitionTime) : undefined;
  };
  const started = containersOf(pod)
    .filter((view) => !view.init || isSidecar(view))
    .flatMap(
      ({ status: { state } }) => timeOf((state?.running ?? state?.terminated)?.startedAt) ?? [],
    );
  const times = {
    scheduledAt: at("PodScheduled"),
    initializedAt: at("Initialized"),
    startedAt: started.length === 0 ? undefined : Math.max(...started),
    readyAt: at("Ready"),
  };
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    phase: metadata.deletionTimestamp === undefined ? (status.phase ?? "Pending") : "Terminating",
    ready: at("Ready") !== undefined,
    restarts: (status.containerStatuses ?? []).reduce((sum, one) => sum + one.restartCount, 0),
    ...(spec.nodeName === undefined ? {} : { node: spec.nodeName }),
    ...Object.fromEntries(Object.entries(times).filter(([, time]) => time !== undefined)),
  };
}
