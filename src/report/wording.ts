import { successMessage } from "../model/result.ts";
import type { FirstCause, PhaseResult, ReportedPosition, RunResult } from "../model/run-result.ts";
import { plainLine } from "./plain-text.ts";

/* The sentences that console, JUnit, summary, HTML and JSON share: said in one place, so that they agree. */

/** `api: ready`, `api: build example/api`. For `command` and `test` of local resources: `x: local`, `x: test x`. The case name of JUnit: fixed forever. */
export function caseName(resource: string, phase: Pick<PhaseResult, "name" | "subject">): string {
  if (phase.name === "command") return `${resource}: local`;
  if (phase.name === "test") return `${resource}: test ${phase.subject ?? resource}`;
  return phase.subject === undefined
    ? `${resource}: ${phase.name}`
    : `${resource}: ${phase.name} ${phase.subject}`;
}

/** `ready`, `build example/api`: the phase beside its resource's name. */
export function phaseLabel(phase: {
  readonly name: PhaseResult["name"];
  readonly subject?: string;
}): string {
  return phase.subject === undefined ? phase.name : `${phase.name} ${phase.subject}`;
}

/** `api: ready`, `x: command`: the phase with its resource, for people; readers of JUnit know it by its case name. */
export function phaseTitle(
  resource: string,
  phase: { readonly name: PhaseResult["name"]; readonly subject?: string },
): string {
  return `${resource}: ${phaseLabel(phase)}`;
}

/** `Kind/ns/name: detail (CODE)`: the message of a failure with its reason code at the end, on one line. */
export function withCode(message: string, code: string): string {
  const line = plainLine(message);
  return line.endsWith(`(${code})`) ? line : `${line} (${code})`;
}

/** The first cause in one line: `db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)`. */
export function causeLine(cause: FirstCause): string {
  const title = phaseTitle(cause.resource, {
    name: cause.phase,
    ...(cause.subject !== undefined && { subject: cause.subject }),
  });
  return `${title}: ${withCode(cause.message, cause.code)}`;
}

/** The run's outcome in one sentence. */
export function verdictLine(result: RunResult): string {
  if (!result.complete) return `The run did not come to its end: ${result.message}`;
  if (result.verdict === "passed") return successMessage(result.run.command);
  return result.message;
}

/** `Tiltfile:12:1`. */
export function placeOf({ file, line, column }: ReportedPosition): string {
  return `${file}:${line}:${column}`;
}

/** Milliseconds for people: `0.4s`, `12.3s`, `2m05s`, `1h02m`. */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

/** `1 resource`, `3 resources`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** `a, b and c`; beyond `max` names `a, b and 7 more`. */
export function listNames(names: readonly string[], max = 6): string {
  if (names.length <= 1) return names.join("");
  const shown = names.length > max ? names.slice(0, max - 1) : names.slice(0, -1);
  const last =
    names.length > max ? `${names.length - shown.length} more` : (names[names.length - 1] ?? "");
  return `${shown.join(", ")} and ${last}`;
}
