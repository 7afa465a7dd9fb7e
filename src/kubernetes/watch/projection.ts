import type { ApiObject, ContainerSpec, Pod } from "../api/api-object.ts";

/**
 * Cuts an object down to what readiness, logs and reports read: a Pod from 8 KB to 2, and no cache holds the values of
 * Secrets or environment variables.
 */
export function project(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata as ApiObject["metadata"] & {
    readonly managedFields?: unknown;
  };
  const slim = { ...object, metadata: { ...metadata, ...slimAnnotations(metadata) } };
  switch (object.kind) {
    case "Pod":
      return projectPod(slim as Pod);
    case "Secret":
    case "ConfigMap": {
      const { apiVersion, kind } = slim;
      return { apiVersion, kind, metadata: slim.metadata };
    }
    case "Deployment":
    case "ReplicaSet":
    case "StatefulSet":
    case "DaemonSet":
    case "ReplicationController":
    case "Job":
      return projectController(slim);
    case "CustomResourceDefinition":
      return { ...slim, spec: undefined };
    default:
      return slim;
  }
}

const KEPT_ANNOTATIONS = [
  "deployment.kubernetes.io/revision",
  "deprecated.daemonset.template.generation",
];

function slimAnnotations({ annotations }: ApiObject["metadata"]) {
  if (annotations === undefined) return {};
  const kept = Object.entries(annotations).filter(([name]) => KEPT_ANNOTATIONS.includes(name));
  return { annotations: Object.fromEntries(kept) };
}

function projectController(object: ApiObject): ApiObject {
  const spec = (object.spec ?? {}) as Record<string, unknown> & {
    readonly template?: { readonly metadata?: { readonly labels?: unknown } };
  };
  const { template, selector: _, volumeClaimTemplates: __, ...rest } = spec;
  return {
    ...object,
    spec: { ...rest, template: { metadata: { labels: template?.metadata?.labels } } },
  };
}

function projectPod(pod: Pod): Pod {
  const { nodeName, restartPolicy, containers, initContainers, imagePullSecrets, volumes } =
    pod.spec ?? {};
  const named = (volumes ?? []).map(projectVolume).filter((volume) => volume !== undefined);
  const {
    phase,
    reason,
    message,
    startTime,
    conditions,
    containerStatuses,
    initContainerStatuses,
  } = pod.status ?? {};
  return dropUndefined({
    ...pod,
    spec: dropUndefined({
      nodeName,
      restartPolicy,
      containers: containers?.map(projectContainer),
      initContainers: initContainers?.map(projectContainer),
      imagePullSecrets,
      volumes: named.length === 0 ? undefined : named,
    }),
    status: dropUndefined({
      phase,
      reason,
      message,
      startTime,
      conditions,
      containerStatuses,
      initContainerStatuses,
    }),
  }) as Pod;
}

type Volume = NonNullable<NonNullable<Pod["spec"]>["volumes"]>[number];

/** A volume that needs another object, with that object's name. */
function projectVolume({ name, persistentVolumeClaim, configMap, secret }: Volume) {
  if (persistentVolumeClaim) return { name, persistentVolumeClaim };
  if (configMap) return { name, configMap: { name: configMap.name } } as Volume;
  return secret ? ({ name, secret: { secretName: secret.secretName } } as Volume) : undefined;
}

function projectContainer(container: ContainerSpec): ContainerSpec {
  const { name, image, restartPolicy, ports, resources, readinessProbe, lifecycle } = container;
  const hook = lifecycle?.postStart?.exec;
  const memory = resources?.limits?.memory;
  return dropUndefined({
    name,
    image,
    restartPolicy,
    ports: ports?.map(({ containerPort }) => ({ containerPort })),
    resources: memory === undefined ? undefined : { limits: { memory } },
    readinessProbe: readinessProbe === undefined ? undefined : true,
    lifecycle: hook && { postStart: { exec: hook } },
  }) as ContainerSpec;
}

function dropUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Partial<T>;
}
