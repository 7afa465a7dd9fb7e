import type { LiveUpdateStep } from "../model/plan.ts";
import { reprText, typeName, type Value } from "../starlark/index.ts";
import { oneOrMore } from "./arguments.ts";
import type { Evaluation } from "./evaluation.ts";
import { goQuote } from "./go/quote.ts";
import type { RecordedLiveUpdateStep } from "./recorded.ts";
import { LiveUpdateStepValue } from "./values/live-update-step.ts";

type StepType = LiveUpdateStep["type"];

/**
 * The steps of a `live_update` argument, checked for order and content, and marked as used.
 * @throws Error in Tilt's words
 */
export function liveUpdateSteps(
  evaluation: Evaluation,
  value: Value | undefined,
): RecordedLiveUpdateStep[] {
  const values = oneOrMore(value);
  if (values.length === 0) return [];
  const steps: RecordedLiveUpdateStep[] = [];
  const seen = new Set<StepType>();
  for (const item of values) {
    if (!(item instanceof LiveUpdateStepValue)) {
      throw new Error(
        `'steps' must be a list of live update steps - got value '${reprText(item)}' of type '${typeName(item)}'`,
      );
    }
    const recorded = item.content;
    checkOrder(recorded.step.type, seen);
    seen.add(recorded.step.type);
    steps.push(recorded);
    evaluation.unusedLiveUpdateSteps.delete(stepKey(recorded));
  }
  checkContent(steps);
  return steps;
}

/** Records a new step as unused until a live_update takes it. */
export function recordStep(
  evaluation: Evaluation,
  recorded: RecordedLiveUpdateStep,
): LiveUpdateStepValue {
  evaluation.unusedLiveUpdateSteps.set(stepKey(recorded), recorded);
  return new LiveUpdateStepValue(recorded);
}

function stepKey({ position: { file, line, column } }: RecordedLiveUpdateStep): string {
  return `${file}:${line}:${column}`;
}

function checkOrder(type: StepType, seen: ReadonlySet<StepType>): void {
  const has = (...types: StepType[]) => types.some((other) => seen.has(other));
  switch (type) {
    case "initial_sync":
      if (seen.size > 0) {
        throw new Error("initial_sync must appear at most once, at the start of the list");
      }
      return;
    case "fall_back_on":
      if (has("sync", "run", "restart_container")) {
        throw new Error("fall_back_on steps must appear at the start of the list");
      }
      return;
    case "sync":
      if (has("restart_container")) {
        throw new Error("restart container is only valid as the last step");
      }
      if (has("run")) throw new Error("all sync steps must precede all run steps");
      return;
    case "run":
      if (has("restart_container")) {
        throw new Error("restart container is only valid as the last step");
      }
      return;
    case "restart_container":
      return;
  }
}

function checkContent(steps: readonly RecordedLiveUpdateStep[]): void {
  const syncs = steps.flatMap(({ step }) => (step.type === "sync" ? [step] : []));
  const problems: string[] = [];
  if (syncs.length === 0 && !steps.some(({ step }) => step.type === "run")) {
    problems.push(
      "spec.syncs: Invalid value: null: must contain at least 1 sync or 1 exec to run on live update",
    );
  }
  syncs.forEach(({ remotePath }, index) => {
    if (!remotePath.startsWith("/")) {
      problems.push(
        `spec.syncs[${index}]: Invalid value: ${goQuote(remotePath)}: sync destination is not absolute`,
      );
    }
  });
  if (problems.length > 0) throw new Error(aggregate(problems));
}

/** How Kubernetes' libraries show several errors as one. */
export function aggregate(problems: readonly string[]): string {
  const distinct = [...new Set(problems)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(", ")}]`;
}
