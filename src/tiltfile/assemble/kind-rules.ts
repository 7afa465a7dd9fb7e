import { objectName, objectNamespace } from "../../manifests/kubernetes-objects.ts";
import type { ImageLocator, KubernetesObject, ReadinessMode } from "../../model/plan.ts";
import { compileIgnoringCase } from "../go/regexp.ts";
import type { ImagePathRule, KindRule } from "../recorded.ts";

/** A rule for the objects that patterns pick: they are workloads. */
export interface WorkloadRule {
  readonly readiness?: ReadinessMode | undefined;
  readonly locators: readonly ImageLocator[];
  matches(object: KubernetesObject): boolean;
}

interface Patterns {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** Rules that are always there (tiltfile-api.md §10). Patterns are unanchored: `Job` takes in `CronJob` as well. */
const BUILT_IN_RULES: readonly WorkloadRule[] = [
  {
    readiness: "succeeded",
    locators: [],
    matches: matcher({ apiVersion: "batch/v1", kind: "Job" }),
  },
  {
    readiness: "ignore",
    locators: [],
    matches: matcher({ apiVersion: "batch/v1", kind: "CronJob" }),
  },
];

/** The built-in rules and those of the Tiltfile, in the order in which their images are looked for. */
export function workloadRules(
  kindRules: readonly KindRule[],
  imagePathRules: readonly ImagePathRule[],
): WorkloadRule[] {
  return [
    ...BUILT_IN_RULES,
    ...kindRules.map(({ kind, apiVersion, podReadiness, locators }) => ({
      readiness: podReadiness,
      locators,
      matches: matcher({ kind, ...(apiVersion === undefined ? {} : { apiVersion }) }),
    })),
    ...imagePathRules.map(({ jsonPaths, position: _, ...patterns }) => ({
      locators: jsonPaths.map((jsonPath): ImageLocator => ({ type: "path", jsonPath })),
      matches: matcher(patterns),
    })),
  ];
}

function matcher(patterns: Patterns): (object: KubernetesObject) => boolean {
  const apiVersion = compileIgnoringCase(patterns.apiVersion ?? "");
  const kind = compileIgnoringCase(patterns.kind ?? "");
  const name = compileIgnoringCase(patterns.name ?? "");
  const namespace = compileIgnoringCase(patterns.namespace ?? "");
  return (object) =>
    kind.test(object.kind) &&
    apiVersion.test(object.apiVersion) &&
    name.test(objectName(object)) &&
    namespace.test(objectNamespace(object));
}
