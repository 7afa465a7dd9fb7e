import { EnvironmentError } from "../../errors.ts";
import type { Clock } from "../../host/host.ts";
import { type ApiClient, createApiClient } from "../api.ts";
import type { ContainerEngine } from "../container-engine.ts";
import type { RunningCluster } from "../kind-follow.ts";
import { type ClusterObject, fillTemplate, type Identity, type Template } from "./bound-objects.ts";
import { nodeNameOf } from "./run-args.ts";
import { BAKED_DIRECTORY } from "./scripts.ts";

/** The kubelet has to register its node; beside other work that takes a while. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 100;

/** What a bake wrote down for the starts from it. */
export interface BoundFile {
  readonly node: ClusterObject;
  readonly templates: readonly Template[];
}

export const BOUND_FILE = `${BAKED_DIRECTORY}/objects.json`;

/** What was written down in a node that started from a baked image, and the address that it has now. */
export async function readBound(
  clusterName: string,
  engine: ContainerEngine,
  signal: AbortSignal,
): Promise<{ readonly address: string; readonly file: BoundFile }> {
  const text = await engine.must(
    "Cannot read the objects of a baked node",
    ["exec", nodeNameOf(clusterName), "sh", "-c", `cat /kind/old-ipv4; echo; cat ${BOUND_FILE}`],
    { signal, maxBuffer: 64 << 20 },
  );
  const end = text.indexOf("\n");
  return { address: text.slice(0, end), file: JSON.parse(text.slice(end)) as BoundFile };
}

/** Creates what names the cluster, as it was when the node was baked. Throws `EnvironmentError`. */
export async function createBound(
  { node, templates }: BoundFile,
  { server, administrators }: RunningCluster,
  names: Pick<Identity, "cluster" | "address">,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const identity = { ...names, ca: administrators.admin.ca };
  const client = createApiClient(server, administrators.superAdmin);
  const fill = (object: ClusterObject) => fillTemplate({ object }, identity, clock.now());
  try {
    await Promise.all([
      labelNode(fill(node), client, clock, signal),
      ...templates.map(({ collection, manager, object }) => {
        const path = `${collection}?fieldManager=${encodeURIComponent(manager)}`;
        return insist(() => client.request("POST", path, fill(object)), [201, 409], clock, signal);
      }),
    ]);
  } finally {
    client.close();
  }
}

/** The kubelet registers its node at some moment of these seconds: whoever is first, the labels are there. */
async function labelNode(
  node: ClusterObject,
  client: ApiClient,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { name, labels, annotations } = node.metadata;
  const patch = { metadata: { labels, annotations } };
  const path = `/api/v1/nodes/${name}?fieldManager=kubeadm`;
  await insist(() => client.request("PATCH", path, patch), [200], clock, signal);
}

/** A server that has just become ready may refuse for a moment. */
async function insist(
  request: () => Promise<{ readonly status: number; readonly body: string }>,
  accepted: readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (true) {
    const { status, body } = await request();
    if (accepted.includes(status)) return;
    if (clock.monotonic() > deadline)
      throw new EnvironmentError(
        `Cannot create the objects of a baked cluster: ${messageIn(body) ?? `status ${status}`}`,
      );
    await clock.sleep(PAUSE_MS, signal);
  }
}

function messageIn(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { message?: string }).message;
  } catch {
    return undefined;
  }
}
