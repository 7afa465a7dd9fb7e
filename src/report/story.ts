import type { FirstCause, PhaseResult, ResourceResult, RunResult } from "../model/run-result.ts";
import { plainLine, plainText } from "./plain-text.ts";

/** What a cause's `object` is. */
export function objectLabel({ phase }: Pick<FirstCause, "phase">): string {
  if (phase === "build" || phase === "push") return "Image";
  return phase === "command" || phase === "test" || phase === "serve" ? "Command" : "Object";
}

/** The resource and the phase that a cause is about; the phase is absent for causes without one (bad flags). */
export function subjectOfCause(
  cause: FirstCause,
  result: RunResult,
): { readonly resource?: ResourceResult; readonly phase?: PhaseResult } {
  const resource = result.resources.find(({ name }) => name === cause.resource);
  const phase = resource?.phases.find(
    ({ name, subject }) => name === cause.phase && subject === cause.subject,
  );
  return { ...(resource && { resource }), ...(phase && { phase }) };
}

/** The last lines that tell of a failure: of its own log, else of the resource's other red phases. */
export function lastLines(cause: FirstCause, result: RunResult, max: number): readonly string[] {
  const { resource, phase } = subjectOfCause(cause, result);
  const logs = [phase, ...(resource?.phases ?? [])].map((known) => known?.log?.tail ?? []);
  return (logs.find((tail) => tail.length > 0) ?? []).slice(-max);
}

/** The detail of a failure, unless the last log lines say the same: commands that fail have both from one output. */
export function detailBeyond(
  detail: string | undefined,
  tail: readonly string[],
): string | undefined {
  if (detail === undefined) return undefined;
  const shown = new Set(tail.map((line) => plainLine(line)));
  const lines = plainText(detail)
    .split("\n")
    .map((line) => plainLine(line));
  return lines.every((line) => line === "" || shown.has(line)) ? undefined : detail;
}

/** Failed resources beside the first causes: those that are neither culprit nor told of one. */
export function otherFailures(result: RunResult): ResourceResult[] {
  const causes = new Set(result.firstCause.map(({ resource }) => resource));
  return result.resources.filter(
    ({ name, status, role }) =>
      !causes.has(name) && role !== "blocked" && (status === "failed" || status === "error"),
  );
}

/** The phase of a failed resource that made it so. */
export function failedPhase(resource: ResourceResult): PhaseResult | undefined {
  return resource.phases.find(({ status }) => status === "failed" || status === "error");
}
