import { CancelledError, EnvironmentError } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import { type ApiClient, createApiClient } from "./api.ts";
import type { Administrators } from "./node-setup.ts";

const POLL_MS = 50;
const API_TIMEOUT_MS = 4 * 60_000;
const SETTLE_TIMEOUT_MS = 3 * 60_000;

/**
 * Resolves when the API server is ready and obeys the administrator of the kubeconfig.
 * Throws `EnvironmentError` after four minutes, `CancelledError` when the signal fires.
 */
export async function apiReady(
  server: string,
  { admin, superAdmin }: Administrators,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const first = createApiClient(server, superAdmin);
  const client = createApiClient(server, admin);
  try {
    const bound = { clock, signal, deadline: clock.monotonic() + API_TIMEOUT_MS };
    await until("The API server is not ready", bound, async () => {
      return (await first.request("GET", "/readyz")).status === 200;
    });
    // kubeadm makes this binding up to half a second later and does not mind to find it
    await first.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", ADMINS);
    await until("The API server does not obey its administrator", bound, async () => {
      const namespaces = ["default", "kube-public"].map((name) =>
        client.request("GET", `/api/v1/namespaces/${name}`),
      );
      return (await Promise.all(namespaces)).every(({ status }) => status === 200);
    });
  } finally {
    first.close();
    client.close();
  }
}

/** As kubeadm writes it (kubeadm/app/phases/kubeconfig, EnsureAdminClusterRoleBinding). */
const ADMINS = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "kubeadm:cluster-admins" },
  roleRef: {
    apiGroup: "rbac.authorization.k8s.io",
    kind: "ClusterRole",
    name: "cluster-admin",
  },
  subjects: [
    { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "kubeadm:cluster-admins" },
  ],
};

/**
 * Resolves when that many nodes are Ready; one watch, no polling. Throws `EnvironmentError` naming the others
 * after three minutes, `CancelledError` when the signal fires.
 */
export async function nodesReady(
  client: ApiClient,
  count: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + SETTLE_TIMEOUT_MS;
  const readiness = new Map<string, string | undefined>();
  while (true) {
    const isDone = () =>
      readiness.size >= count && [...readiness.values()].every((problem) => problem === undefined);
    const left = deadline - clock.monotonic();
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(), Math.max(left, 1));
    const read = nodeEventReader(readiness, () => isDone() && bound.abort());
    await client.request("GET", "/api/v1/nodes?watch=1", undefined, {
      onText: read,
      signal: AbortSignal.any([signal, bound.signal]),
    });
    clearTimeout(timer);
    if (isDone()) return;
    if (signal.aborted) throw new CancelledError();
    if (clock.monotonic() >= deadline) throw notReady(readiness, count);
    await clock.sleep(POLL_MS * 4, signal); // the API server closed the watch: open it again
  }
}

function notReady(readiness: ReadonlyMap<string, string | undefined>, count: number): Error {
  const problems = [...readiness].flatMap(([name, problem]) =>
    problem === undefined ? [] : [`${name}: ${problem}`],
  );
  return new EnvironmentError(
    `Not all nodes are ready after ${SETTLE_TIMEOUT_MS / 1000} s: ${
      problems.join("; ") || `${readiness.size} of ${count} joined`
    }`,
  );
}

interface NodeEvent {
  readonly object?: {
    readonly metadata?: { readonly name?: string };
    readonly status?: {
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly message?: string;
      }[];
    };
  };
}

/** Reads a watch's text, in whatever pieces it comes, into node → why it is not ready. */
export function nodeEventReader(
  readiness: Map<string, string | undefined>,
  onEvent: () => void,
): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { object } = JSON.parse(line) as NodeEvent;
      const name = object?.metadata?.name;
      if (!name) continue;
      const ready = object.status?.conditions?.find(({ type }) => type === "Ready");
      readiness.set(
        name,
        ready?.status === "True" ? undefined : (ready?.message ?? "no condition yet"),
      );
      onEvent();
    }
  };
}

interface Bound {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly deadline: number;
}

async function until(
  problem: string,
  { clock, signal, deadline }: Bound,
  condition: () => Promise<boolean>,
): Promise<void> {
  while (!(await condition())) {
    if (signal.aborted) throw new CancelledError();
    if (clock.monotonic() > deadline)
      throw new EnvironmentError(`${problem} after ${API_TIMEOUT_MS / 1000} s`, {
        hint: "The machine may be too slow or short of memory: see the node's logs",
      });
    await clock.sleep(POLL_MS, signal);
  }
}
