import type { Graph, GraphResource } from "./graph.ts";
import { taskId } from "./graph.ts";
import { standingsOf } from "./judge.ts";
import type { Policy } from "./policy.ts";
import type { RunState } from "./state.ts";

/*
 * Without a probe "ready" only means that a process exists. A server that cannot bind its port or reach its database still
 * needs a moment to say so and end.
 */

/** A server of this machine, or a service of Compose, that lived so long did not fail to start. */
const SERVER_MS = 2_000;
/** The kubelet looks once a second, a little later each time: so long after it has told of a start it has looked twice more. */
const TWO_LOOKS_MS = 2_500;
/** How long a service takes at most, mostly, to give up on a peer that has failed: only then is it known for its echo. */
const ECHO_MS = 5_000;
/** A server of this machine whose probe still says no so long after its start is not on its way to anything. */
const REFUSAL_MS = 5_000;

/** When a resource that is ready since then may pass; epoch ms. Probes and Tilt's semantics are believed at once. */
export function provenAt(
  { name, type, settles, isProbed }: GraphResource,
  since: number,
  state: RunState,
  policy: Policy,
): number {
  if (isProbed || policy.semantics !== "strict") return since;
  if (settles === "serve") return since + SERVER_MS;
  if (settles !== "ready") return since;
  const { pods = [], active } = state.standings.get(name)?.observation ?? {};
  if (type === "compose") return active ? since + SERVER_MS : since;
  const starts = pods.flatMap((pod) => pod.startedAt ?? []);
  if (starts.length === 0) return since;
  // starts are told in whole seconds, by the node's clock
  const { kubeletLagMs } = policy;
  const outlived = Math.max(...starts) + kubeletLagMs;
  if (outlived <= since) return since;
  // a kubelet that was late with the start would be as late with an end
  return Math.min(Math.max(outlived, since + TWO_LOOKS_MS), since + kubeletLagMs);
}

/**
 * Until when a run that has failed waits for resources that are deployed and have not come to their verdict, or were ready
 * and crash. Infinity: as long as the failure window lasts; undefined: there are none.
 */
export function verdictsUntil(graph: Graph, state: RunState): number | undefined {
  const times = [...graph.resources.values()].flatMap(
    (resource) => verdictUntil(resource, state) ?? [],
  );
  return times.length === 0 ? undefined : Math.max(...times);
}

function verdictUntil({ name, settles }: GraphResource, state: RunState): number | undefined {
  if (settles === undefined) return undefined;
  const { status } = state.phases.get(taskId(name, settles)) ?? {};
  const standing = state.standings.get(name);
  const seen = standing?.observation.state;
  // Between a crash and the next start a container is neither ready nor crashing.
  const hasCrashed = seen !== "ready" && (standing?.observation.crashes ?? 0) > 0;
  if (status === "passed") return hasCrashed ? Number.POSITIVE_INFINITY : undefined;
  if (status !== "running" || seen === "ready") return undefined;
  // Its own end would be seen at once, and its probe is asked every second: no other verdict is to be expected.
  const refuses = settles === "serve" && standing?.observation.failure?.code === "ProbeFailed";
  return refuses && standing.activeSince !== undefined
    ? standing.activeSince + REFUSAL_MS
    : Number.POSITIVE_INFINITY;
}

/** Until when a run that has failed waits for what may follow from the failure; undefined when nothing can. */
export function echoesUntil(graph: Graph, state: RunState): number | undefined {
  const standings = standingsOf(graph, state);
  // Nobody connects to a command or a test.
  const reachable = [...graph.resources.values()].some(
    ({ name, settles }) => settles !== undefined && standings.get(name)?.state === "failed",
  );
  if (!reachable) return undefined;
  const times = [...graph.resources.values()].flatMap((resource) => {
    const standing = state.standings.get(resource.name);
    return standing?.observation.state === "ready" && isUnproven(resource, state)
      ? standing.stateSince + ECHO_MS
      : [];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}

function isUnproven({ name, settles, isProbed, type }: GraphResource, state: RunState): boolean {
  if (settles === undefined || settles === "job" || isProbed) return false;
  const hasPods = (state.standings.get(name)?.observation.pods.length ?? 0) > 0;
  // A ConfigMap connects to nobody.
  if ((type === "k8s" || type === "custom") && !hasPods) return false;
  const status = state.phases.get(taskId(name, settles))?.status;
  return status === "passed" || status === "running";
}
