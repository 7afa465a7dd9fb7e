import type { PhaseStatus } from "../model/result.ts";
import type { ResourceResult, ResultCounts } from "../model/run-result.ts";

/** How many resources of the Tiltfile ended how: disabled ones, `(Tiltfile)` and `(cluster)` do not count. */
export function countStatuses(resources: readonly ResourceResult[]): ResultCounts {
  const counts: Record<PhaseStatus, number> = {
    pending: 0,
    running: 0,
    passed: 0,
    failed: 0,
    error: 0,
    skipped: 0,
    cancelled: 0,
  };
  for (const { enabled, status, type } of resources)
    if (enabled && type !== "cluster" && type !== "tiltfile") counts[status]++;
  return counts;
}
