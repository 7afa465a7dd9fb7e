import { applyRank } from "../../manifests/kubernetes-objects.ts";

/** Items in groups that are applied one after another (ci-engine.md §10), each group's own order kept. */
export function byRank<T>(items: readonly T[], kindOf: (item: T) => string): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const rank = applyRank(kindOf(item));
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [item]);
    else group.push(item);
  }
  return [...groups.entries()].toSorted(([a], [b]) => a - b).map(([, group]) => group);
}
