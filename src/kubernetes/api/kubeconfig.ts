import { delimiter } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { EnvironmentError, messageOf, UsageError } from "../../errors.ts";

/** Which cluster to talk to, as whom. */
export interface ClusterAccess {
  readonly kubeConfig: KubeConfig;
  readonly server: URL;
  readonly contextName: string;
  readonly clusterName: string;
  /** For objects that name none. */
  readonly namespace: string;
}

/**
 * Reads a kubeconfig: one path or several as in `KUBECONFIG` (the first definition of a name holds, as in kubectl).
 * @throws UsageError for a context that does not exist, EnvironmentError for a file that cannot be read
 */
export async function loadClusterAccess(options: {
  readonly kubeconfig: string;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}): Promise<ClusterAccess> {
  // 75 ms and 25 MB: only runs that reach a cluster pay for it.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const kubeConfig = new KubeConfig();
  const [first, ...more] = options.kubeconfig.split(delimiter).filter((path) => path !== "");
  if (first === undefined) throw new UsageError("No kubeconfig given");
  try {
    kubeConfig.loadFromFile(first);
    for (const path of more) mergeInto(kubeConfig, path, new KubeConfig());
  } catch (error) {
    throw new EnvironmentError(
      `Cannot read kubeconfig "${options.kubeconfig}": ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const contextName = options.context ?? kubeConfig.getCurrentContext();
  const context = kubeConfig.getContextObject(contextName);
  if (context === null) throw unknownContext(kubeConfig, contextName, options.kubeconfig);
  kubeConfig.setCurrentContext(contextName);
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) {
    throw new UsageError(`Context "${contextName}" names a cluster that its kubeconfig lacks`);
  }
  // client-node refuses plain HTTP unless told that nothing is to be verified.
  if (cluster.server.startsWith("http:")) Object.assign(cluster, { skipTLSVerify: true });
  return {
    kubeConfig,
    server: new URL(cluster.server),
    contextName,
    clusterName: cluster.name,
    namespace: options.namespace || context.namespace || "default",
  };
}

function mergeInto(target: KubeConfig, path: string, source: KubeConfig): void {
  source.loadFromFile(path);
  const has = (items: readonly { readonly name: string }[], name: string) =>
    items.some((item) => item.name === name);
  for (const cluster of source.getClusters())
    if (!has(target.getClusters(), cluster.name)) target.addCluster(cluster);
  for (const user of source.getUsers())
    if (!has(target.getUsers(), user.name)) target.addUser(user);
  for (const context of source.getContexts())
    if (!has(target.getContexts(), context.name)) target.addContext(context);
  if (!target.getCurrentContext()) target.setCurrentContext(source.getCurrentContext());
}

function unknownContext(kubeConfig: KubeConfig, name: string | undefined, path: string) {
  const known = kubeConfig.getContexts().map((context) => context.name);
  return new UsageError(
    name
      ? `No context "${name}" in kubeconfig "${path}"`
      : `No current context in kubeconfig "${path}"`,
    known.length > 0 ? `It has: ${known.join(", ")}` : undefined,
  );
}
