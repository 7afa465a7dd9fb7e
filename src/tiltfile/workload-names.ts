import {
  EvaluationError,
  EvaluationExit,
  goTypeName,
  isString,
  type StarlarkFunction,
  Thread,
  toJsString,
} from "../starlark/index.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Recorded, WorkloadId } from "./recorded.ts";
import { K8sObjectId } from "./values/k8s-object-id.ts";

/**
 * Calls a workload_to_resource_function at assembly, in a thread of its own as Tilt does: it may compute and print, and
 * builtins that act fail in it.
 */
export function workloadNamer(
  evaluation: Evaluation,
  func: StarlarkFunction,
): NonNullable<Recorded["workloadToResource"]> {
  const { file, line, col } = func.position;
  const name = (id: WorkloadId): string => {
    const thread = new Thread({
      name: "workload_to_resource_function",
      print: (message) => evaluation.log(toJsString(message)),
      ...(evaluation.deadline === undefined ? {} : { deadline: evaluation.deadline }),
    });
    try {
      const result = thread.call(func, [new K8sObjectId(id)]);
      if (isString(result)) return toJsString(result);
      throw new Error(
        `${func.name}: invalid return value. wanted: string. got: ${goTypeName(result)}`,
      );
    } catch (error) {
      // An exit() here is an error like any other: there is nothing left to skip.
      if (error instanceof EvaluationExit) throw new Error("stop execution");
      if (error instanceof EvaluationError) throw new Error(error.message, { cause: error });
      throw error;
    }
  };
  return { position: { file, line, column: col }, name };
}
