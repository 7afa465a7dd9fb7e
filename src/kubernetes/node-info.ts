import type { KubernetesConnection } from "./connection.ts";
import { readOptional } from "./detect-registry.ts";

interface NodeInfo {
  readonly architecture?: string;
  readonly containerRuntimeVersion?: string;
}

type Options = { readonly signal?: AbortSignal };

/**
 * The processor architecture of the cluster's first node as images name it (`amd64`, `arm64`); undefined when there is
 * no node yet or we may not look. Throws as Transport.request() does.
 */
export async function nodeArchitecture(
  connection: KubernetesConnection,
  options: Options = {},
): Promise<string | undefined> {
  return (await firstNode(connection, options))?.architecture;
}

/** What runs the first node's containers: `containerd`, `docker`, `cri-o`. As `nodeArchitecture()` otherwise. */
export async function containerRuntime(
  connection: KubernetesConnection,
  options: Options = {},
): Promise<string | undefined> {
  return (await firstNode(connection, options))?.containerRuntimeVersion?.split("://")[0];
}

async function firstNode(
  connection: KubernetesConnection,
  { signal }: Options,
): Promise<NodeInfo | undefined> {
  const list = (await readOptional(connection, "/api/v1/nodes?limit=1", signal)) as
    | { items?: { status?: { nodeInfo?: NodeInfo } }[] }
    | undefined;
  return list?.items?.[0]?.status?.nodeInfo;
}
