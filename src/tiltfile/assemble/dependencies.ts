import type { PlanWarning, Resource } from "../../model/plan.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { nearestHint } from "./nearest.ts";

/**
 * The resources with `resource_deps` that exist: unknown names are dropped with a warning, as in Tilt.
 * @throws TiltfileError for a resource that depends on itself, and for cycles
 */
export function resolveDependencies(
  resources: readonly Resource[],
  warnings: PlanWarning[],
): Resource[] {
  const known = new Set(resources.map(({ name }) => name));
  const resolved = resources.map((resource) => {
    const { name, position, resourceDeps } = resource;
    const kept = resourceDeps.filter((dependency) => {
      if (dependency === name) {
        throw new TiltfileError(`resource ${name} specified a dependency on itself`, {
          positions: [position],
          resource: name,
        });
      }
      if (known.has(dependency)) return true;
      const message = `resource ${name} specified a dependency on unknown resource ${dependency} - dependency ignored`;
      const others = [...known].filter((other) => other !== name);
      const hint = nearestHint(dependency, others);
      warnings.push({ message, position, ...(hint && { hint }) });
      return false;
    });
    return { ...resource, resourceDeps: kept };
  });
  checkCycles(resolved);
  return resolved;
}

function checkCycles(resources: readonly Resource[]): void {
  const cycle = findCycle(resources);
  if (cycle === undefined) return;
  const positions = cycle.flatMap(
    (name) => resources.find((resource) => resource.name === name)?.position ?? [],
  );
  throw new TiltfileError(
    `cycle detected in resource dependency graph: ${[...cycle, cycle[0]].join(" -> ")}`,
    { positions, ...(cycle[0] === undefined ? {} : { resource: cycle[0] }) },
  );
}

/** The first group of resources that all wait on each other, in the order in which a walk from the first one meets them. */
function findCycle(resources: readonly Resource[]): string[] | undefined {
  const edges = new Map<string, readonly string[]>();
  for (const { name, resourceDeps } of resources) {
    edges.set(name, [...(edges.get(name) ?? []), ...resourceDeps]);
  }
  const state = new TarjanState();
  for (const name of edges.keys()) {
    const group = state.indices.has(name) ? undefined : connect(name, edges, state);
    if (group !== undefined) return group;
  }
  return undefined;
}

/** Book-keeping of Tarjan's algorithm for strongly connected components. */
class TarjanState {
  readonly indices = new Map<string, number>();
  readonly lowLinks = new Map<string, number>();
  readonly stack: string[] = [];
  readonly stacked = new Set<string>();

  push(name: string): void {
    this.indices.set(name, this.indices.size);
    this.lowLinks.set(name, this.indices.get(name)!);
    this.stack.push(name);
    this.stacked.add(name);
  }

  lower(name: string, link: number): void {
    this.lowLinks.set(name, Math.min(this.lowLinks.get(name)!, link));
  }
}

/** Walks from a resource without recursion: chains may be thousands long. Gives the first component with a cycle. */
function connect(
  root: string,
  edges: ReadonlyMap<string, readonly string[]>,
  state: TarjanState,
): string[] | undefined {
  const walk = [{ name: root, next: 0 }];
  state.push(root);
  for (let frame = walk.at(-1); frame !== undefined; frame = walk.at(-1)) {
    const dependency = edges.get(frame.name)?.[frame.next];
    frame.next += 1;
    if (dependency !== undefined) {
      if (!state.indices.has(dependency)) {
        state.push(dependency);
        walk.push({ name: dependency, next: 0 });
      } else if (state.stacked.has(dependency)) {
        state.lower(frame.name, state.indices.get(dependency)!);
      }
      continue;
    }
    walk.pop();
    const { name } = frame;
    const parent = walk.at(-1);
    if (parent !== undefined) state.lower(parent.name, state.lowLinks.get(name)!);
    if (state.lowLinks.get(name) !== state.indices.get(name)) continue;
    const component = state.stack.splice(state.stack.indexOf(name));
    for (const member of component) state.stacked.delete(member);
    if (component.length > 1) return component;
  }
  return undefined;
}

/**
 * Refuses a resource that waits on one that never starts: Tilt would wait for it until the timeout.
 * @throws TiltfileError that names the waiting resource
 */
export function checkNeverStarting(resources: readonly Resource[]): void {
  const idle = new Map(
    resources.filter(({ autoInit }) => !autoInit).map((resource) => [resource.name, resource]),
  );
  for (const { name, enabled, autoInit, position, resourceDeps } of resources) {
    const blocker = resourceDeps.map((dependency) => idle.get(dependency)).find(Boolean);
    if (!enabled || !autoInit || blocker === undefined) continue;
    throw new TiltfileError(
      `resource ${name} waits on ${blocker.name}, which never starts: it has auto_init=False`,
      {
        positions: [position, blocker.position],
        resource: name,
        code: "DependencyNeverStarts",
        hint: `Remove auto_init=False from "${blocker.name}", or "${blocker.name}" from resource_deps of "${name}"`,
      },
    );
  }
}
