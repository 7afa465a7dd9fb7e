import { load } from "js-yaml";
import { isForbidden, isNotFound } from "./api/api-error.ts";
import type { KubernetesConnection } from "./connection.ts";

/** A registry that a cluster offers for images made beside it (KEP-1755). */
export interface LocalRegistry {
  /** Where the host pushes to. */
  readonly host: string;
  /** What `image:` fields say; `host` when absent. */
  readonly hostFromContainerRuntime?: string;
  /** What pods use; absent where pods cannot reach it. */
  readonly hostFromClusterNetwork?: string;
  /** A URL for when it does not work. */
  readonly help?: string;
  /** Where this is written: for messages. */
  readonly source: string;
}

const CONFIG_MAP = "/api/v1/namespaces/kube-public/configmaps/local-registry-hosting";
const KEY = "localRegistryHosting.v1";
const MICROK8S_SERVICE = "/api/v1/namespaces/container-registry/services/registry";

/**
 * The cluster's registry: ConfigMap `local-registry-hosting`, else microk8s' registry Service, else annotations of the
 * first node (ci-engine.md §8). Undefined when there is none or we may not look. `onLine` hears of content that is
 * no use. Throws as Transport.request() does.
 */
export async function detectRegistry(
  connection: KubernetesConnection,
  options: { readonly signal?: AbortSignal; readonly onLine?: (line: string) => void } = {},
): Promise<LocalRegistry | undefined> {
  const read = (path: string) => readOptional(connection, path, options.signal);
  const fromConfigMap = parseHosting(await read(CONFIG_MAP), options.onLine);
  if (fromConfigMap !== undefined) return fromConfigMap;
  const fromService = microk8sRegistry(await read(MICROK8S_SERVICE));
  if (fromService !== undefined) return fromService;
  return annotatedRegistry(await read("/api/v1/nodes?limit=1"));
}

/** Undefined for what is not there or may not be read. */
export async function readOptional(
  { transport }: KubernetesConnection,
  path: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return await transport.request({ path, signal });
  } catch (error) {
    if (isNotFound(error) || isForbidden(error)) return undefined;
    throw error;
  }
}

function parseHosting(
  configMap: unknown,
  onLine: ((line: string) => void) | undefined,
): LocalRegistry | undefined {
  const text = (configMap as { data?: Record<string, string> } | undefined)?.data?.[KEY];
  if (text === undefined) return undefined;
  const source = "ConfigMap kube-public/local-registry-hosting";
  try {
    const { host, hostFromContainerRuntime, hostFromClusterNetwork, help } = (load(text) ??
      {}) as Partial<Record<keyof LocalRegistry, unknown>>;
    const texts = Object.entries({ hostFromContainerRuntime, hostFromClusterNetwork, help }).filter(
      ([, value]) => typeof value === "string" && value !== "",
    );
    if (typeof host === "string" && host !== "")
      return { host, ...Object.fromEntries(texts), source };
    onLine?.(`WARNING: ${source} names no host`);
  } catch (error) {
    onLine?.(`WARNING: ${source} is no YAML: ${(error as Error).message}`);
  }
  return undefined;
}

function microk8sRegistry(service: unknown): LocalRegistry | undefined {
  const { metadata, spec } = (service ?? {}) as {
    metadata?: { labels?: Record<string, string> };
    spec?: { ports?: { nodePort?: number; port?: number }[] };
  };
  const port = spec?.ports?.[0]?.nodePort ?? 0;
  if (metadata?.labels?.app !== "registry" || port === 0) return undefined;
  return { host: `localhost:${port}`, source: "Service container-registry/registry" };
}

function annotatedRegistry(list: unknown): LocalRegistry | undefined {
  const { items = [] } = (list ?? {}) as {
    items?: { metadata?: { name?: string; annotations?: Record<string, string> } }[];
  };
  const { name = "", annotations = {} } = items[0]?.metadata ?? {};
  const source = `annotations of node ${name}`;
  const host = annotations["tilt.dev/registry"];
  const fromCluster = annotations["tilt.dev/registry-from-cluster"];
  if (host)
    return { host, ...(fromCluster ? { hostFromContainerRuntime: fromCluster } : {}), source };
  const kind = annotations["kind.x-k8s.io/registry"];
  return kind ? { host: kind, source } : undefined;
}
