import type { LocalResource } from "../../model/plan.ts";
import type { RecordedLocal } from "../recorded.ts";

/** A local_resource as it stands in the plan. One that only serves runs beside anything, as in Tilt. */
export function toLocalResource(
  local: RecordedLocal,
  triggerMode: "auto" | "manual" = "auto",
): LocalResource {
  return {
    ...local,
    type: "local",
    enabled: true,
    triggerMode: local.triggerMode ?? triggerMode,
    allowParallel: local.allowParallel || local.updateCmd === undefined,
    labels: [...new Set(local.labels)],
  };
}
