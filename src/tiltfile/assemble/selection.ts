import type { Resource } from "../../model/plan.ts";
import { goQuote } from "../go/quote.ts";
import type { Selection } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import { UNCATEGORIZED } from "./kubernetes-resources.ts";
import { nearestHint } from "./nearest.ts";

/**
 * The resources with `enabled` as config.* and the command line ask for it (tiltfile-api.md §9): what is named, all
 * that it depends on, and `uncategorized`.
 * @throws TiltfileError for names that are no resources
 */
export function selectResources(resources: readonly Resource[], selection: Selection): Resource[] {
  if (selection.cleared) return resources.map((resource) => ({ ...resource, enabled: false }));
  const requested = requestedNames(selection);
  if (requested.length === 0) return [...resources];
  checkNames(resources, requested, selection);
  const selected = withDependencies(resources, requested);
  return resources.map((resource) => ({
    ...resource,
    enabled: selected.has(resource.name) || resource.name === UNCATEGORIZED,
  }));
}

function requestedNames({ enabled, parsed, args }: Selection): readonly string[] {
  if (enabled !== undefined && enabled.length > 0) return enabled;
  return parsed ? [] : args;
}

function checkNames(
  resources: readonly Resource[],
  requested: readonly string[],
  { enabled, enabledAt }: Selection,
): void {
  const known = new Set(resources.map(({ name }) => name));
  const unknown = requested.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const others = resources.map(({ name }) => name).filter((name) => !requested.includes(name));
  throw new TiltfileError(
    `You specified some resources that could not be found: ${unknown.map(goQuote).join(", ")}\n` +
      `Is this a typo? Existing resources in Tiltfile: ${others.map(goQuote).join(", ")}`,
    {
      hint: nearestHint(unknown[0]!, known),
      // Names from the command line have no place.
      positions: requested === enabled && enabledAt !== undefined ? [enabledAt] : [],
    },
  );
}

function withDependencies(
  resources: readonly Resource[],
  requested: readonly string[],
): Set<string> {
  const byName = new Map(resources.map((resource) => [resource.name, resource]));
  const selected = new Set<string>();
  const waiting = [...requested];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (selected.has(name)) continue;
    selected.add(name);
    waiting.push(...(byName.get(name)?.resourceDeps ?? []));
  }
  return selected;
}
