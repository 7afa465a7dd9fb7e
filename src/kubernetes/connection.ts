import { EnvironmentError } from "../errors.ts";
import { ApiError, ConnectionError, isForbidden } from "./api/api-error.ts";
import { Discovery } from "./api/discovery.ts";
import { ApiServerHealth, type HealthOptions } from "./api/health.ts";
import { type ClusterAccess, loadClusterAccess } from "./api/kubeconfig.ts";
import { Transport } from "./api/transport.ts";

/** A way to one cluster's API server, shared by all that a run does there. */
export interface KubernetesConnection {
  readonly access: ClusterAccess;
  /** For objects that name none. */
  readonly namespace: string;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly health: ApiServerHealth;
  /** Ends all connections. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** One path, or several as in the variable `KUBECONFIG`. */
  readonly kubeconfig: string;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly health?: HealthOptions;
}

/** Reads the kubeconfig; talks to nobody yet. Throws UsageError and EnvironmentError. */
export async function connect(options: ConnectOptions): Promise<KubernetesConnection> {
  const access = await loadClusterAccess(options);
  const health = new ApiServerHealth(access.server, options.health);
  const transport = new Transport(access, health);
  health.attach(transport);
  return {
    access,
    namespace: access.namespace,
    transport,
    discovery: new Discovery(transport),
    health,
    async close() {
      health.close();
      await transport.close();
    },
  };
}

const BOOT_PROBE_PERIOD_MS = 100;
const BOOT_PROBE_TIMEOUT_MS = 1_000;
/** A server that should be up already and does not answer for this long is not there. */
const PATIENCE_MS = 10_000;

/**
 * Resolves as soon as the API server says that it is ready. `fresh`: of a cluster that is just being made, where our own
 * rights and the `default` namespace come a moment after readiness: waits for those too, and as long as it takes.
 * Throws CancelledError when the signal fires, EnvironmentError when a server that is not fresh does not answer or
 * does not accept our credentials.
 */
export async function waitForApiServer(
  connection: KubernetesConnection,
  { signal, fresh = false }: { readonly signal: AbortSignal; readonly fresh?: boolean },
): Promise<void> {
  const paths = ["/readyz", ...(fresh ? ["/api/v1/namespaces/default"] : [])];
  const giveUpAt = fresh ? Number.POSITIVE_INFINITY : performance.now() + PATIENCE_MS;
  for (const path of paths) {
    for (;;) {
      const startedAt = performance.now();
      const error = await probe(connection, path, signal);
      if (error === undefined) break;
      if (!fresh && isForbidden(error)) break;
      if (!fresh && ((error instanceof ApiError && error.code === 401) || startedAt > giveUpAt))
        throw unusable(connection.access, error);
      const left = BOOT_PROBE_PERIOD_MS - (performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, Math.max(left, 0)));
    }
  }
}

async function probe(
  { transport }: KubernetesConnection,
  path: string,
  signal: AbortSignal,
): Promise<Error | undefined> {
  try {
    await transport.request({ path, signal, timeoutMs: BOOT_PROBE_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    if (error instanceof ApiError || error instanceof ConnectionError) return error;
    throw error;
  }
}

function unusable({ server, contextName }: ClusterAccess, error: Error): EnvironmentError {
  return new EnvironmentError(
    `Cannot use context "${contextName}": API server ${server.origin}: ${error.message}`,
    { cause: error },
  );
}
