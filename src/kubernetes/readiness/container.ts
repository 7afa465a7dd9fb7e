import type { Failure } from "../../model/result.ts";
import type { ContainerEnd, ContainerSpec, ContainerStatus, Pod } from "../api/api-object.ts";
import { timeOf } from "../api/api-object.ts";
import { eventTime, firstEventTime, latestEvent } from "./events.ts";
import { isImageReason, judgeImage } from "./image-pull.ts";
import {
  type Evidence,
  failed,
  failedUnlessChanged,
  type Judgement,
  pending,
} from "./judgement.ts";
import { judgeMissing, missingObjectIn } from "./missing-object.ts";

/** The runtime says no to a configuration: it may be its own trouble (`name is reserved`), so it gets a second try. */
const CREATE_MS = 10_000;
/** What the runtime says when a command cannot be run at all. */
const NO_SUCH_COMMAND =
  /executable file not found|no such file or directory|permission denied|exec format error|is a directory|not a directory/i;
/** What the kubelet refuses to start as it is configured, whatever else changes. */
const NOT_ALLOWED =
  /image will run as root|image has non-numeric user|no users found|unable to find (?:user|group)/;
const CONFIG_REASONS = ["CreateContainerConfigError"];
const CREATE_REASONS = [
  "CreateContainerError",
  "RunContainerError",
  "StartError",
  "ContainerCannotRun",
  "PreCreateHookError",
  "PreStartHookError",
  "PostStartHookError",
];
const OOM_REASON = "OOMKilled";

/** One container of a pod with what the kubelet says about it. */
export interface ContainerView {
  readonly pod: Pod;
  readonly init: boolean;
  readonly spec: ContainerSpec | undefined;
  readonly status: ContainerStatus;
}

/** The containers of a pod that the kubelet has reported on, init containers first. */
export function containersOf(pod: Pod): ContainerView[] {
  const view = (init: boolean) => (status: ContainerStatus) => ({
    pod,
    init,
    status,
    spec: (init ? pod.spec?.initContainers : pod.spec?.containers)?.find(
      ({ name }) => name === status.name,
    ),
  });
  return [
    ...(pod.status?.initContainerStatuses ?? []).map(view(true)),
    ...(pod.status?.containerStatuses ?? []).map(view(false)),
  ];
}

/** Whether an init container runs beside the others (restartPolicy Always) instead of before them. */
export function isSidecar({ init, spec }: ContainerView): boolean {
  return init && spec?.restartPolicy === "Always";
}

/** The last time that a container ended, if it is not simply running its first time. */
export function lastEnd({ status }: ContainerView): ContainerEnd | undefined {
  return status.state?.terminated ?? status.lastState?.terminated;
}

/** Whether an end of a container is none that its pod asks for. */
export function isBadEnd(view: ContainerView, end: ContainerEnd): boolean {
  // The kernel may kill a child of the main process, which then ends as if all were well.
  if (end.exitCode !== 0 || end.reason === OOM_REASON) return true;
  const policy = view.pod.spec?.restartPolicy ?? "Always";
  return (!view.init || isSidecar(view)) && policy === "Always";
}

/** How often a container has crashed since the deploy: ended though it should run on, or with an error. */
export function crashesOf(view: ContainerView, evidence: Evidence): number {
  const end = lastEnd(view);
  if (end === undefined || !isBadEnd(view, end)) return 0;
  const ends = endsOf(view.status);
  return Math.max(0, ends - evidence.endsBefore(view.pod.metadata.uid, view.status.name));
}

/** How often a container has ended: each restart came after an end, and one that is not running has ended once more. */
export function endsOf({ restartCount, state, lastState }: ContainerStatus): number {
  if (state?.terminated) return restartCount + 1;
  return state?.waiting && lastState?.terminated ? restartCount + 1 : restartCount;
}

/** Judges a container that is not as it should be. Undefined for one that needs no word: running, or done. */
export function judgeContainer(view: ContainerView, evidence: Evidence): Judgement | undefined {
  const { state = {} } = view.status;
  const { waiting } = state;
  const end = lastEnd(view);
  if (waiting !== undefined) {
    const judgement = judgeWaiting(view, waiting, evidence);
    if (judgement !== undefined) return judgement;
  }
  if (end !== undefined && isBadEnd(view, end) && !isReady(view)) {
    const crashes = crashesOf(view, evidence);
    if (crashes > 0) return judgeCrash(view, end, crashes, evidence);
  }
  if (waiting === undefined) return undefined;
  return pending(waiting.reason ?? "ContainerCreating");
}

const isReady = ({ status }: ContainerView) => status.ready && status.state?.running !== undefined;

function judgeWaiting(
  view: ContainerView,
  waiting: { readonly reason?: string; readonly message?: string },
  evidence: Evidence,
): Judgement | undefined {
  const { pod, spec, status } = view;
  const { reason = "", message = "" } = waiting;
  if (isImageReason(reason)) {
    return judgeImage(
      pod,
      { name: status.name, image: spec?.image ?? status.image },
      waiting,
      evidence,
    );
  }
  if (!CONFIG_REASONS.includes(reason) && !CREATE_REASONS.includes(reason)) return undefined;
  const failure = containerFailure(view, "ContainerConfig", `${verbOf(reason)}: ${message}`);
  const missing = missingObjectIn(message);
  const { namespace = "", uid } = pod.metadata;
  if (missing) return judgeMissing(missing, namespace, { summary: reason, uid, failure }, evidence);
  if (NO_SUCH_COMMAND.test(message) || NOT_ALLOWED.test(message)) return failed(reason, failure);
  return failedUnlessChanged(CREATE_MS, `${reason} ${uid} ${status.name}`, reason, failure);
}

const verbOf = (reason: string) =>
  CONFIG_REASONS.includes(reason) ? "bad configuration" : "cannot start";

function judgeCrash(
  view: ContainerView,
  end: ContainerEnd,
  crashes: number,
  evidence: Evidence,
): Judgement {
  const summary = view.status.state?.waiting?.reason ?? end.reason ?? "Error";
  if (CREATE_REASONS.includes(end.reason ?? "") && NO_SUCH_COMMAND.test(end.message ?? "")) {
    return failed(
      end.reason ?? summary,
      containerFailure(view, "ContainerConfig", `cannot start: ${end.message}`, end),
    );
  }
  const failure = crashFailure(view, end, crashes, evidence);
  // A second kill at the same limit shows that the first was no accident.
  if (end.reason === OOM_REASON && crashes >= 2) return failed(OOM_REASON, failure);
  return { state: "crashing", summary, failure };
}

/** Why a container ended, as a failure: killed for memory or by a probe, else its exit code and last words. */
export function crashFailure(
  view: ContainerView,
  end: ContainerEnd,
  crashes: number,
  evidence: Evidence,
): Failure {
  const times = crashes === 1 ? "" : ` ${crashes} times`;
  if (end.reason === OOM_REASON) {
    const limit = view.spec?.resources?.limits?.memory;
    const text = `was killed for memory${times}${limit ? ` (limit ${limit})` : ""}`;
    return containerFailure(view, OOM_REASON, text, end);
  }
  const kill = probeKill(view, evidence) ?? hookKill(view, end, evidence);
  if (kill !== undefined) {
    return containerFailure(view, kill.code, `was killed${times}: ${kill.why}`, end);
  }
  const how = end.signal ? `signal ${end.signal}` : `exit code ${end.exitCode}`;
  const text = `crashed${times}${crashes > 1 ? ", last" : ""} with ${how}`;
  const note = end.exitCode === 0 ? " although its pod is to run on" : "";
  const code = view.init && !isSidecar(view) ? "InitFailed" : "CrashLoop";
  return containerFailure(view, code, text + note, end);
}

/** Why the kubelet itself has ended a container. */
interface Kill {
  readonly code: Failure["code"];
  readonly why: string;
}

/** It ends a container whose hook after the start fails, and says no more than that. */
function hookKill(view: ContainerView, end: ContainerEnd, evidence: Evidence): Kill | undefined {
  const startedAt = timeOf(end.startedAt) ?? 0;
  const event = latestEvent(
    evidence.eventsOf(view.pod.metadata.uid),
    ["FailedPostStartHook"],
    (candidate) => (eventTime(candidate) ?? 0) >= startedAt - 1000 && concerns(candidate, view),
  );
  if (event === undefined) return undefined;
  const command = view.spec?.lifecycle?.postStart?.exec?.command?.join(" ");
  const why = `its postStart hook fails${command ? `: ${command}` : ""}`;
  return { code: "CrashLoop", why };
}

/** The message of the probe that had the kubelet kill this container, if that is why it ended. */
function probeKill({ pod, status }: ContainerView, evidence: Evidence): Kill | undefined {
  const events = evidence.eventsOf(pod.metadata.uid);
  const kill = latestEvent(events, ["Killing"], ({ message = "" }) =>
    new RegExp(`^Container ${status.name} failed (liveness|startup) probe`).test(message),
  );
  if (kill === undefined) return undefined;
  const kind = / failed (liveness|startup) probe/.exec(kill.message ?? "")![1]!;
  const probe = latestEvent(events, ["Unhealthy"], ({ message = "" }) =>
    message.toLowerCase().startsWith(`${kind} probe`),
  );
  return { code: "ProbeFailed", why: oneLine(probe?.message ?? kill.message ?? "") };
}

/** A failure about a container. `end` gives time and last words. */
export function containerFailure(
  view: ContainerView,
  code: Failure["code"],
  text: string,
  end?: ContainerEnd,
): Failure {
  const { pod, status } = view;
  const { namespace = "", name } = pod.metadata;
  const words = end?.message?.trim();
  const evidenceAt = timeOf(end?.finishedAt);
  return {
    code,
    message: oneLine(`Pod ${namespace}/${name}: ${roleOf(view)} "${status.name}" ${text}`),
    ...(words ? { detail: words } : {}),
    object: `Pod/${namespace}/${name}`,
    ...(evidenceAt === undefined ? {} : { evidenceAt }),
  };
}

function roleOf(view: ContainerView): string {
  if (isSidecar(view)) return "sidecar";
  return view.init ? "init container" : "container";
}

/** At most so long is waited for a container to outlive its last run. */
const TRUST_MS = 20_000;
/** On a busy node it took 2.4 s until a crash was in the container's status. */
const TRUST_MARGIN_MS = 5_000;

/**
 * A container without readiness probe is "ready" as soon as it runs, also between two crashes. One that has crashed
 * is trusted again when it has run for longer than the last time. Undefined for all others.
 */
export function judgeTrust(view: ContainerView, evidence: Evidence): Judgement | undefined {
  const { status, spec, pod } = view;
  const end = lastEnd(view);
  const runsOn = !view.init || isSidecar(view);
  if (!runsOn || end === undefined || status.state?.running === undefined) return undefined;
  const crashes = spec?.readinessProbe === undefined ? crashesOf(view, evidence) : 0;
  if (crashes === 0) return undefined;
  const lasted = (timeOf(end.finishedAt) ?? 0) - (timeOf(end.startedAt) ?? 0);
  return {
    state: "crashing",
    summary: "Restarted",
    failure: crashFailure(view, end, crashes, evidence),
    active: true,
    standing: {
      key: `trust ${pod.metadata.uid} ${status.name} ${status.restartCount}`,
      ms: Math.min(Math.max(lasted, 0) + TRUST_MARGIN_MS, TRUST_MS),
      becomes: "ready",
    },
  };
}

/** A container that has ended badly and does not run again yet. Undefined for all others. */
export function judgeDown(view: ContainerView, evidence: Evidence): Judgement | undefined {
  const { state } = view.status;
  const end = state?.terminated ?? (state?.waiting && lastEnd(view));
  const crashes = end !== undefined && isBadEnd(view, end) ? crashesOf(view, evidence) : 0;
  return end === undefined || crashes === 0 ? undefined : judgeCrash(view, end, crashes, evidence);
}

/** The readiness or startup probe that keeps a running container from being ready, in the kubelet's words. */
export function probeFailure(view: ContainerView, evidence: Evidence): Failure | undefined {
  const startedAt = timeOf(view.status.state?.running?.startedAt) ?? 0;
  const event = latestEvent(
    evidence.eventsOf(view.pod.metadata.uid),
    ["Unhealthy"],
    (candidate) => (eventTime(candidate) ?? 0) >= startedAt - 1000 && concerns(candidate, view),
  );
  if (event === undefined) return undefined;
  const evidenceAt = firstEventTime(event);
  const failure = containerFailure(view, "ProbeFailed", `is not ready: ${event.message}`);
  return evidenceAt === undefined ? failure : { ...failure, evidenceAt };
}

function concerns(event: { involvedObject: { fieldPath?: string } }, { status }: ContainerView) {
  const { fieldPath } = event.involvedObject;
  return fieldPath === undefined || fieldPath.includes(`{${status.name}}`);
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ").trim();
