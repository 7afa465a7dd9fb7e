import type { ReadinessMode } from "../../model/plan.ts";
import type { ApiObject, Job, PersistentVolumeClaim, Pod, Workload } from "../api/api-object.ts";
import { customResourceReadiness } from "./custom-resource.ts";
import { customResourceDefinitionReadiness } from "./custom-resource-definition.ts";
import { daemonSetReadiness } from "./daemon-set.ts";
import { deploymentReadiness } from "./deployment.ts";
import { jobReadiness, jobServing } from "./job.ts";
import { type Evidence, type Judgement, pending, type ReadinessRule, worst } from "./judgement.ts";
import { persistentVolumeClaimReadiness } from "./persistent-volume-claim.ts";
import { podCompletion, podReadiness } from "./pod.ts";
import { replicaSetReadiness } from "./replica-set.ts";
import { statefulSetReadiness } from "./stateful-set.ts";

/** How a kind is judged. To add one: write its rule beside the others, name it here, put objects into testdata. */
export interface KindRule {
  /** It makes pods: `pod_readiness='ignore'` and `discovery_strategy='selectors-only'` switch it off. */
  readonly workload: boolean;
  readonly judge: (
    mode: ReadinessMode,
    object: ApiObject,
    pods: readonly Pod[],
    evidence: Evidence,
  ) => Judgement;
}

/** Groups of the server itself. What is in them and not in the table (Service, Ingress, CronJob, ConfigMap, …) is ready once applied. */
const BUILT_IN_GROUPS = new Set([
  "",
  "apps",
  "batch",
  "autoscaling",
  "policy",
  "extensions",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "networking.k8s.io",
  "node.k8s.io",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
]);

const RULES: Readonly<Record<string, KindRule>> = {
  "/Pod": { workload: true, judge: judgePodObject },
  "/ReplicationController": workload(replicaSetReadiness),
  "/PersistentVolumeClaim": state<PersistentVolumeClaim>(persistentVolumeClaimReadiness),
  "apps/DaemonSet": workload(daemonSetReadiness),
  "apps/Deployment": workload(deploymentReadiness),
  "apps/ReplicaSet": workload(replicaSetReadiness),
  "apps/StatefulSet": workload(statefulSetReadiness),
  "batch/Job": { workload: true, judge: judgeJob },
  "apiextensions.k8s.io/CustomResourceDefinition": state(customResourceDefinitionReadiness),
};
const CUSTOM: KindRule = { workload: false, judge: judgeCustom };

/** The rule of a kind; undefined for kinds that are ready once applied and need not be watched. */
export function ruleFor({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): KindRule | undefined {
  return RULES[`${groupOf(apiVersion)}/${kind}`] ?? (isCustomKind(apiVersion) ? CUSTOM : undefined);
}

/** Whether kinds of that version come from definitions or other API servers, not from Kubernetes itself. */
export function isCustomKind(apiVersion: string): boolean {
  return !BUILT_IN_GROUPS.has(groupOf(apiVersion));
}

const groupOf = (apiVersion: string) =>
  apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";

function workload(rule: ReadinessRule<Workload>): KindRule {
  return {
    workload: true,
    judge: (mode, object, pods, evidence) =>
      mode === "succeeded"
        ? judgeCompletion(pods, evidence)
        : rule(object as Workload, pods, evidence),
  };
}

function state<T extends ApiObject>(rule: ReadinessRule<T>): KindRule {
  return {
    workload: false,
    judge: (_, object, pods, evidence) => rule(object as T, pods, evidence),
  };
}

function judgePodObject(
  mode: ReadinessMode,
  object: ApiObject,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  return (mode === "succeeded" ? podCompletion : podReadiness)(object as Pod, pods, evidence);
}

function judgeJob(
  mode: ReadinessMode,
  object: ApiObject,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  return (mode === "wait" ? jobServing : jobReadiness)(object as Job, pods, evidence);
}

function judgeCustom(
  mode: ReadinessMode,
  object: ApiObject,
  pods: readonly Pod[],
  evidence: Evidence,
): Judgement {
  const judgement = customResourceReadiness(object, mode === "ignore" ? [] : pods, evidence);
  if (mode !== "succeeded" || pods.length === 0 || judgement.state === "failed") return judgement;
  return ["Succeeded", "Complete", "Completed"].includes(judgement.summary)
    ? judgement
    : judgeCompletion(pods, evidence);
}

/** Pods that have to end: all of them, and there is at least one. */
export function judgeCompletion(pods: readonly Pod[], evidence: Evidence): Judgement {
  const judgements = pods.map((pod) => podCompletion(pod, [], evidence));
  return worst(judgements) ?? pending("waiting for a pod");
}
