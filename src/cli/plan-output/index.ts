import type { Plan } from "../../model/plan.ts";
import { formatPlanGraph } from "./graph.ts";
import { formatPlanJson } from "./json.ts";
import { formatPlanTable } from "./table.ts";
import { formatPlanYaml } from "./yaml.ts";

export const PLAN_FORMATS = ["table", "json", "yaml", "graph"] as const;
export type PlanFormat = (typeof PLAN_FORMATS)[number];

const FORMATTERS: Readonly<Record<PlanFormat, (plan: Plan) => string>> = {
  table: formatPlanTable,
  json: formatPlanJson,
  yaml: formatPlanYaml,
  graph: formatPlanGraph,
};

/** What `tilt-ci plan -o FORMAT` prints: a whole document with a line end. */
export function formatPlan(plan: Plan, format: PlanFormat): string {
  return FORMATTERS[format](plan);
}
