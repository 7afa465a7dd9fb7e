import type { Graph, GraphResource, Task } from "./graph.ts";
import { taskId } from "./graph.ts";
import type { Policy } from "./policy.ts";
import type { RunState } from "./state.ts";

/** The resource that holds all objects without a resource of their own; Tilt applies it before the others. */
const UNCATEGORIZED = "uncategorized";

export interface Schedule {
  readonly start: readonly Task[];
  /** Why each task that could be next is not started: for the footer, timeouts and `holding` events. */
  readonly holds: ReadonlyMap<string, string>;
}

const isUpdate = (task: Task) =>
  task.phase !== "build" && task.phase !== "push" && task.phase !== "serve";
const isCommand = (task: Task) => task.phase === "command" || task.phase === "test";

/**
 * What may start now. Order as in Tilt (ci-engine.md §6): local commands, `uncategorized`, then by assembly;
 * unlike there, image builds and pushes wait for nothing but their own inputs, and a command that runs alone
 * keeps only other commands and deploys waiting.
 */
export function schedule(graph: Graph, state: RunState, policy: Policy): Schedule {
  const holds = new Map<string, string>();
  const start: Task[] = [];
  const statusOf = (id: string) => state.phases.get(id)?.status;
  const running = [...graph.tasks.values()].filter((task) => statusOf(task.id) === "running");
  const waiting = [...graph.tasks.values()]
    .filter((task) => statusOf(task.id) === undefined)
    .sort((a, b) => rank(a) - rank(b));
  for (const task of waiting) {
    const hold = unmet(task, graph, state) ?? conflict(task, [...running, ...start], policy);
    if (hold) holds.set(task.id, hold);
    else start.push(task);
  }
  return { start, holds };
}

function rank(task: Task): number {
  if (isCommand(task) || task.phase === "serve") return 0;
  return task.resource === UNCATEGORIZED ? 1 : 2;
}

/** What of a task's own needs is missing. */
function unmet(task: Task, graph: Graph, state: RunState): string | undefined {
  const dep = task.afterResources.find((name) => !hasUnblocked(graph.resources.get(name), state));
  if (dep !== undefined) return `waiting for ${dep}`;
  const before = task.after.find((id) => state.phases.get(id)?.status !== "passed");
  if (before !== undefined) return `waiting for ${describe(graph.tasks.get(before))}`;
  if (task.needs.includes("registry") && !state.reached.has("(cluster)|registry"))
    return "waiting for the registry";
  if (task.needs.includes("api") && !state.reached.has("(cluster)|api"))
    return "waiting for the cluster";
  if (
    task.phase === "deploy" &&
    task.resource !== UNCATEGORIZED &&
    graph.resources.get(task.resource)?.type !== "compose"
  ) {
    const first = graph.tasks.get(taskId(UNCATEGORIZED, "deploy"));
    if (first && state.phases.get(first.id)?.status !== "passed")
      return "waiting for uncategorized";
  }
  return undefined;
}

function describe(task: Task | undefined): string {
  return task?.subject ? `${task.phase} of ${task.subject}` : `${task?.resource}: ${task?.phase}`;
}

/** What of the work under way a task would collide with. */
function conflict(task: Task, running: readonly Task[], policy: Policy): string | undefined {
  if (!isUpdate(task)) return undefined;
  const updates = running.filter(isUpdate);
  const alone = updates.find((other) => other.exclusive);
  if (alone) return `waiting for ${alone.resource}, which runs alone`;
  if (task.exclusive && updates.length > 0)
    return `runs alone: waiting for ${updates[0]!.resource}`;
  return updates.length >= policy.maxUpdates ? "waiting for a slot" : undefined;
}

/** Whether what depends on a resource may start: it was ready once (and is reached through its Services and port-forwards). */
export function hasUnblocked(resource: GraphResource | undefined, state: RunState): boolean {
  if (!resource) return false;
  const passed = resource.tasks.every(
    (task) => task.phase === "serve" || state.phases.get(task.id)?.status === "passed",
  );
  if (!passed) return false;
  if (resource.settles === undefined) return true;
  if (state.standings.get(resource.name)?.everReadyAt === undefined) return false;
  return !resource.isReached || state.reached.has(`${resource.name}|reachable`);
}
