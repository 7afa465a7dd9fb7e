import type { Plan } from "../../model/plan.ts";

/** What a pipeline has to know of a Tiltfile. */
export interface Needs {
  /** It deploys to Kubernetes: a cluster is made for it. */
  readonly cluster: boolean;
  /** It runs Docker Compose services. */
  readonly compose: boolean;
  /** Programs that its evaluation runs, in order of their names. */
  readonly tools: readonly string[];
  /** The repository has submodules. */
  readonly submodules: boolean;
}

const TOOLS = ["helm", "kubectl", "kustomize"];

/** The needs of a plan; without one (the Tiltfile could not be evaluated by itself) those of most. */
export function needsOf(plan: Plan | undefined, submodules: boolean): Needs {
  if (!plan) return { cluster: true, compose: false, tools: [], submodules };
  const active = plan.resources.filter(({ enabled }) => enabled);
  const has = (...types: readonly string[]) => active.some(({ type }) => types.includes(type));
  const words = new Set(
    plan.environment.commands.flat().flatMap((word) => word.split(/[\s;&|()]+/)),
  );
  return {
    cluster: has("k8s", "custom"),
    compose: has("compose"),
    tools: TOOLS.filter((tool) => words.has(tool)),
    submodules,
  };
}
