/** In which order kinds are applied: what others need comes first (ci-engine.md §10). Kinds not named come last, together. */
const ORDER = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "MutatingWebhookConfiguration",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "ConfigMap",
  "Secret",
  "Service",
  "LimitRange",
  "PriorityClass",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];

/** The place of a kind in the order of applying: smaller is earlier. */
export function rankOf(kind: string): number {
  const rank = ORDER.indexOf(kind);
  return rank < 0 ? ORDER.length : rank;
}

/** Objects in groups that are applied one after another, each group's own order kept. */
export function byRank<T>(items: readonly T[], kindOf: (item: T) => string): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const rank = rankOf(kindOf(item));
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [item]);
    else group.push(item);
  }
  return [...groups.entries()].toSorted(([a], [b]) => a - b).map(([, group]) => group);
}
