/**
 * Readiness as `tilt ci` judges it (`--semantics tilt`, ci-engine.md §4 and §5): the newest pod alone speaks for a
 * resource; rollouts, replica counts and Job status are not read, apart from what applying returned.
 */
import type { ReadinessMode } from "../../model/plan.ts";
import type { ReasonCode } from "../../model/reason.ts";
import type { ContainerStatus, Job, Pod } from "../api/api-object.ts";
import { conditionOf, timeOf } from "../api/api-object.ts";
import { failed, type Judgement, pending, ready } from "./judgement.ts";

/** What the judgement is made of. */
export interface TiltResource {
  readonly mode: ReadinessMode;
  /** The objects as applying them returned them: only whether a Job was complete then is of interest. */
  readonly applied: readonly unknown[];
  /** Kept pods (ci-engine.md §5): of these objects, this apply and, below one owner, the newest ReplicaSet. */
  readonly pods: readonly Pod[];
}

const ERROR_REASONS = [
  "CrashLoopBackOff",
  "ErrImagePull",
  "ImagePullBackOff",
  "RunContainerError",
  "StartError",
  "Error",
];

/** What else a container in error has done than crash. */
const CONTAINER_CODES: Readonly<Record<string, ReasonCode>> = {
  ErrImagePull: "ImagePull",
  ImagePullBackOff: "ImagePull",
  RunContainerError: "ContainerConfig",
  StartError: "ContainerConfig",
  OOMKilled: "OOMKilled",
};

/** Judges a deployed resource by its newest pod. */
export function judgeLikeTilt({ mode, applied, pods }: TiltResource): Judgement {
  if (mode === "ignore") return ready("applied");
  if (applied.some(isCompleteJob)) return ready("Completed");
  const pod = newestPod(pods);
  if (pod === undefined) return pending("waiting-for-pod");
  const status = podStatusText(pod);
  switch (pod.status?.phase) {
    case "Running":
      return judgeRunning(pod, mode, status);
    case "Succeeded":
      return ready("Completed");
    case "Failed":
      return failed(status, {
        code: failedPodCode(pod, mode),
        message: failedPodMessage(pod),
        object: `Pod/${pod.metadata.namespace ?? ""}/${pod.metadata.name}`,
      });
    default:
      return judgePending(pod, status);
  }
}

/** The pod with the latest creation time, by name where two are equally old. */
export function newestPod(pods: readonly Pod[]): Pod | undefined {
  return pods
    .toSorted(
      (a, b) =>
        a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    )
    .at(-1);
}

function isCompleteJob(object: unknown): boolean {
  const { kind, status } = object as Job;
  return kind === "Job" && conditionOf(status?.conditions, "Complete")?.status === "True";
}

function judgeRunning(pod: Pod, mode: ReadinessMode, status: string): Judgement {
  const containers = pod.status?.containerStatuses ?? [];
  const allReady = containers.length > 0 && containers.every((container) => container.ready);
  if (!allReady || mode === "succeeded") return pending(status, { active: true });
  return ready(status, timeOf(conditionOf(pod.status?.conditions, "Ready")?.lastTransitionTime));
}

function judgePending(pod: Pod, status: string): Judgement {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const badInit = initContainerStatuses.find(isInError);
  const bad = badInit ?? containerStatuses.find(isInError);
  if (bad === undefined) return pending(status);
  const reason = containerStatusText(bad);
  const { name, namespace = "" } = pod.metadata;
  return failed(status, {
    code: CONTAINER_CODES[reason] ?? (badInit ? "InitFailed" : "CrashLoop"),
    message: `Pod ${name} in error state due to container ${bad.name}: ${reason}`,
    object: `Pod/${namespace}/${name}`,
  });
}

function failedPodCode({ status = {} }: Pod, mode: ReadinessMode): ReasonCode {
  if (mode === "succeeded") return "JobFailed";
  const ends = (status.containerStatuses ?? []).map(({ state }) => state?.terminated);
  if (ends.some((end) => end?.reason === "OOMKilled")) return "OOMKilled";
  return ends.some((end) => end !== undefined && end.exitCode !== 0) ? "CrashLoop" : "PodFailed";
}

function isInError({ state }: ContainerStatus): boolean {
  if (state?.terminated) return state.terminated.exitCode !== 0;
  return ERROR_REASONS.includes(state?.waiting?.reason ?? "");
}

function containerStatusText({ state }: ContainerStatus): string {
  if (state?.waiting) return state.waiting.reason ?? "Waiting";
  if (state?.terminated) return state.terminated.reason ?? "Error";
  return state?.running ? "Running" : "Waiting";
}

function failedPodMessage(pod: Pod): string {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const messages = [...initContainerStatuses, ...containerStatuses].flatMap(({ state }) =>
    state?.terminated && state.terminated.exitCode !== 0 && state.terminated.message
      ? [state.terminated.message.trim()]
      : [],
  );
  return messages.length > 0 ? messages.join("; ") : `Pod "${pod.metadata.name}" failed`;
}

/** The STATUS column of `kubectl get pods`. */
export function podStatusText(pod: Pod): string {
  const { status = {}, metadata } = pod;
  const init = initStatusText(pod);
  if (init !== undefined) return init;
  let text = status.reason ?? status.phase ?? "Unknown";
  let running = false;
  for (const { state, ready: isReady } of (status.containerStatuses ?? []).toReversed()) {
    if (state?.waiting?.reason) text = state.waiting.reason;
    else if (state?.terminated) text = endText(state.terminated);
    else if (isReady && state?.running) running = true;
  }
  if (text === "Completed" && running) text = "Running";
  return metadata.deletionTimestamp === undefined ? text : "Terminating";
}

function initStatusText({ status = {}, spec = {} }: Pod): string | undefined {
  const total = spec.initContainers?.length ?? 0;
  for (const [index, { state, started }] of (status.initContainerStatuses ?? []).entries()) {
    if (state?.terminated?.exitCode === 0) continue;
    const sidecar = spec.initContainers?.[index]?.restartPolicy === "Always";
    if (sidecar && started) continue;
    if (state?.terminated) return `Init:${endText(state.terminated)}`;
    const reason = state?.waiting?.reason;
    if (reason && reason !== "PodInitializing") return `Init:${reason}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function endText(end: {
  readonly reason?: string;
  readonly signal?: number;
  readonly exitCode: number;
}): string {
  if (end.reason) return end.reason;
  return end.signal ? `Signal:${end.signal}` : `ExitCode:${end.exitCode}`;
}
