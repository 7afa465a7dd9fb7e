import { UsageError } from "../errors.ts";
import type { Plan, Resource } from "../model/plan.ts";

/** Whether anything that starts in this run is deployed to Kubernetes. */
export function needsCluster({ resources }: Pick<Plan, "resources">): boolean {
  return resources.some(isDeployed);
}

/** Throws `UsageError` for a plan that asks for nothing, or for a cluster where there is none. */
export function checkPlan(plan: Pick<Plan, "resources">, hasCluster: boolean): void {
  if (plan.resources.length === 0)
    throw new UsageError(
      "No resources found",
      "The Tiltfile declares none, or disables all: docs/tiltfile.md lists what makes resources",
    );
  const deployed = plan.resources.find(isDeployed);
  if (deployed !== undefined && !hasCluster)
    throw new UsageError(
      `The Tiltfile deploys ${deployed.name} to Kubernetes, and --cluster none gives it no cluster`,
      "Leave --cluster none out, or name the resources to run that need no cluster",
    );
}

function isDeployed({ enabled, autoInit, type }: Resource): boolean {
  return enabled && autoInit && (type === "k8s" || type === "custom");
}
