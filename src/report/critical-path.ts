import { CLUSTER_SUBJECT, PHASES, TILTFILE_SUBJECT } from "../model/result.ts";
import type { PathSegment } from "../model/run-result.ts";
import { phaseKey } from "./log-path.ts";
import { subjectOf } from "./outcome.ts";
import { timestamp } from "./places.ts";
import type { PhaseState, RunState } from "./state.ts";
import { spanOf } from "./timings.ts";

interface Node {
  readonly phase: PhaseState;
  readonly start: number;
  readonly end: number;
}

/** Clocks of events differ by a little: a phase may start this much before the end of what it waited for. */
const OVERLAP_MS = 50;

/**
 * The chain of phases that made the run as long as it was: from the phase that ended last, back through whatever ended
 * last before each could start (its resource's phase before, its dependencies, the cluster, the Tiltfile), to the start.
 * Serve phases end because the run does, so they never lead; the teardown is its tail.
 */
export function criticalPath(state: RunState): PathSegment[] {
  const nodes = collectNodes(state);
  const leading = [...nodes.values()].filter(
    ({ phase }) => phase.id.phase !== "serve" && phase.id.phase !== "teardown",
  );
  const path: Node[] = [];
  let at = latest(leading);
  const seen = new Set<Node>();
  while (at !== undefined && !seen.has(at)) {
    seen.add(at);
    path.unshift(at);
    const { start } = at;
    at = latest(predecessors(at, nodes, state).filter((node) => node.end <= start + OVERLAP_MS));
  }
  const teardown = latest([...nodes.values()].filter(({ phase }) => phase.id.phase === "teardown"));
  if (teardown !== undefined) path.push(teardown);
  return path.map((node, index) => segment(node, path[index - 1], state));
}

function segment(node: Node, before: Node | undefined, state: RunState): PathSegment {
  const { id } = node.phase;
  const from = before?.end ?? state.startedAt ?? node.start;
  return {
    resource: id.resource,
    phase: id.phase,
    ...subjectOf(id),
    startedAt: timestamp(node.start),
    durationMs: node.end - node.start,
    waitedMs: Math.max(0, node.start - from),
  };
}

function collectNodes(state: RunState): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const resource of state.resources.values())
    for (const phase of resource.phases.values()) {
      const span = spanOf(phase, state.now);
      if (span !== undefined)
        nodes.set(phaseKey(phase.id), { phase, start: span[0], end: span[1] });
    }
  return nodes;
}

/** The phases that one waits for by the rules of a run: builds never wait for `resource_deps`. */
function predecessors({ phase }: Node, nodes: Map<string, Node>, state: RunState): Node[] {
  const { resource: name, phase: kind, subject } = phase.id;
  const order = PHASES.indexOf(kind);
  const found = phasesOf(name, nodes, state).filter((node) => {
    const { id } = node.phase;
    if (kind === "push") return id.phase === "build" && id.subject === subject;
    return PHASES.indexOf(id.phase) < order;
  });
  if (name === CLUSTER_SUBJECT) return found;
  found.push(...phasesOf(TILTFILE_SUBJECT, nodes, state));
  if (kind !== "build") {
    const resource = state.resources.get(name);
    if (resource?.planned?.type !== "local")
      found.push(...phasesOf(CLUSTER_SUBJECT, nodes, state).filter(isBoot));
    if (kind !== "push")
      for (const dep of resource?.planned?.resourceDeps ?? [])
        found.push(...phasesOf(dep, nodes, state));
    for (const image of resource?.planned?.images ?? []) found.push(...imagePhases(image, nodes));
  }
  return found;
}

function isBoot({ phase }: Node): boolean {
  return phase.id.phase !== "teardown";
}

function imagePhases(ref: string, nodes: Map<string, Node>): Node[] {
  return [...nodes.values()].filter(
    ({ phase: { id } }) => id.subject === ref && (id.phase === "build" || id.phase === "push"),
  );
}

function phasesOf(name: string, nodes: Map<string, Node>, state: RunState): Node[] {
  return [...(state.resources.get(name)?.phases.keys() ?? [])].flatMap(
    (key) => nodes.get(key) ?? [],
  );
}

function latest(nodes: readonly Node[]): Node | undefined {
  let found: Node | undefined;
  for (const node of nodes) if (found === undefined || node.end > found.end) found = node;
  return found;
}
