import {
  type ApiObject,
  type Condition,
  conditionOf,
  objectName,
  timeOf,
} from "../api/api-object.ts";
import { failed, failedUnlessChanged, type Judgement, pending, ready } from "./judgement.ts";

const CONFLICT_MS = 5_000;

/** A CustomResourceDefinition is ready once its kind is served. */
export function customResourceDefinitionReadiness(definition: ApiObject): Judgement {
  const { conditions } = (definition.status ?? {}) as { conditions?: readonly Condition[] };
  const established = conditionOf(conditions, "Established");
  if (established?.status === "True")
    return ready("Established", timeOf(established.lastTransitionTime));
  const names = conditionOf(conditions, "NamesAccepted");
  const schema = conditionOf(conditions, "NonStructuralSchema");
  const problem = [names?.status === "False" ? names : undefined, schema].find(
    (condition) => condition !== undefined,
  );
  if (problem === undefined) return pending("NotEstablished");
  const object = objectName(definition);
  const failure = {
    code: "NotEstablished",
    message: `${object} is not established: ${problem.message ?? problem.reason}`,
    object,
  } as const;
  return problem === schema
    ? failed("NotEstablished", failure)
    : failedUnlessChanged(
        CONFLICT_MS,
        `names ${definition.metadata.uid}`,
        "NotEstablished",
        failure,
      );
}
