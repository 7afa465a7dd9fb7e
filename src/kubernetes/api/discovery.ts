import { isNotFound } from "./api-error.ts";
import type { Transport } from "./transport.ts";

/** Where a kind lives in the API. */
export interface ApiResource {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in paths: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Kinds that every server has, so that most runs never ask: `apiVersion: Kind/plural …`, an asterisk for cluster-wide. */
const BUILT_IN = `
v1: ConfigMap/configmaps Endpoints/endpoints Event/events LimitRange/limitranges Namespace/*namespaces Node/*nodes
 PersistentVolume/*persistentvolumes PersistentVolumeClaim/persistentvolumeclaims Pod/pods
 ReplicationController/replicationcontrollers ResourceQuota/resourcequotas Secret/secrets Service/services
 ServiceAccount/serviceaccounts
apps/v1: DaemonSet/daemonsets Deployment/deployments ReplicaSet/replicasets StatefulSet/statefulsets
batch/v1: CronJob/cronjobs Job/jobs
networking.k8s.io/v1: Ingress/ingresses IngressClass/*ingressclasses NetworkPolicy/networkpolicies
rbac.authorization.k8s.io/v1: ClusterRole/*clusterroles ClusterRoleBinding/*clusterrolebindings Role/roles
 RoleBinding/rolebindings
apiextensions.k8s.io/v1: CustomResourceDefinition/*customresourcedefinitions
storage.k8s.io/v1: StorageClass/*storageclasses
policy/v1: PodDisruptionBudget/poddisruptionbudgets
autoscaling/v2: HorizontalPodAutoscaler/horizontalpodautoscalers
scheduling.k8s.io/v1: PriorityClass/*priorityclasses
admissionregistration.k8s.io/v1: MutatingWebhookConfiguration/*mutatingwebhookconfigurations
 ValidatingWebhookConfiguration/*validatingwebhookconfigurations
`;

/** Finds kinds: the well-known ones at once, the rest by asking the server once a group version. */
export class Discovery {
  readonly #transport: Transport;
  readonly #known = new Map<string, ApiResource>(
    builtIns().map((resource) => [keyOf(resource.apiVersion, resource.kind), resource]),
  );
  readonly #asked = new Map<string, Promise<void>>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * The resource of a kind, undefined when the server has none. `refresh` asks again: a CRD may have come.
   * Throws as Transport.request() does.
   */
  async find(
    apiVersion: string,
    kind: string,
    options: { readonly refresh?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ApiResource | undefined> {
    const key = keyOf(apiVersion, kind);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (options.refresh || !this.#asked.has(apiVersion)) this.#ask(apiVersion, options.signal);
    await this.#asked.get(apiVersion);
    return this.#known.get(key);
  }

  #ask(apiVersion: string, signal: AbortSignal | undefined): void {
    const asked = this.#load(apiVersion, signal);
    this.#asked.set(apiVersion, asked);
    asked.catch(() => {
      if (this.#asked.get(apiVersion) === asked) this.#asked.delete(apiVersion);
    });
  }

  async #load(apiVersion: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      const list = await this.#transport.request<{
        readonly resources?: readonly ListedResource[];
      }>({
        path: groupPath(apiVersion),
        signal,
      });
      for (const { name, kind, namespaced } of list.resources ?? []) {
        if (name.includes("/")) continue;
        this.#known.set(keyOf(apiVersion, kind), { apiVersion, kind, plural: name, namespaced });
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

interface ListedResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The path of a kind's collection, in a namespace or over all. */
export function collectionPath(resource: ApiResource, namespace?: string): string {
  const scope =
    resource.namespaced && namespace !== undefined
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : "";
  return `${groupPath(resource.apiVersion)}${scope}/${resource.plural}`;
}

/** The path of one object. `namespace` is left out for kinds that have none. */
export function objectPath(
  resource: ApiResource,
  namespace: string | undefined,
  name: string,
): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

function groupPath(apiVersion: string): string {
  const path = apiVersion.split("/").map(encodeURIComponent).join("/");
  return apiVersion.includes("/") ? `/apis/${path}` : `/api/${path}`;
}

const keyOf = (apiVersion: string, kind: string) => `${apiVersion} ${kind}`;

function builtIns(): ApiResource[] {
  return BUILT_IN.trim()
    .replace(/\n /g, " ")
    .split("\n")
    .flatMap((line) => {
      const [apiVersion = "", kinds = ""] = line.split(": ");
      return kinds.split(" ").map((entry) => {
        const [kind = "", plural = ""] = entry.split("/");
        const namespaced = !plural.startsWith("*");
        return { apiVersion, kind, plural: namespaced ? plural : plural.slice(1), namespaced };
      });
    });
}
