import type { FirstCause, RunResult } from "../model/run-result.ts";
import { plainLine, plainLogLine, plainText, shorten } from "./plain-text.ts";
import { reproduceCommand } from "./reproduce.ts";
import { detailBeyond, lastLines, otherFailures, subjectOfCause } from "./story.ts";
import {
  causeLine,
  count,
  formatDuration,
  listNames,
  phaseLabel,
  placeOf,
  withCode,
} from "./wording.ts";

export interface FinalMessageOptions {
  /** Where the reports are, as the user may open it: `tilt-ci-report`. */
  readonly reportDirectory?: string;
  /** Log lines a cause, 20 by default. */
  readonly lines?: number;
}

const MAX_CAUSES = 5;
const MAX_DETAIL = 2000;

/**
 * The last block on the console of a run that did not pass (standard error, no colours): for each first cause the
 * resource, phase, reason, last log lines and Tiltfile line, then what followed from it and how to reproduce it. No line
 * begins with foreign text: what begins with `::` is a command to GitHub's runner.
 */
export function finalMessage(result: RunResult, options: FinalMessageOptions = {}): string {
  if (result.verdict === "passed") return `${result.message}\n`;
  const causes = result.firstCause.slice(0, MAX_CAUSES);
  const lines = [`Error: ${plainLine(result.message)}`];
  for (const [index, cause] of causes.entries())
    lines.push("", ...describeCause(cause, index, result, options.lines ?? 20));
  const more = result.firstCause.length - causes.length;
  if (more > 0) lines.push("", `and ${count(more, "more independent cause")}`);
  const others = otherFailures(result).filter(
    ({ name }) => !causes.some(({ echoes }) => echoes.includes(name)),
  );
  if (others.length > 0)
    lines.push("", `Also failed: ${listNames(others.map(({ name }) => name))}`);
  if (options.reportDirectory !== undefined)
    lines.push("", `Report: ${options.reportDirectory}/report.html`);
  lines.push(`Reproduce: ${reproduceCommand(result)}`);
  return `${lines.join("\n")}\n`;
}

function describeCause(cause: FirstCause, index: number, result: RunResult, max: number): string[] {
  const { phase } = subjectOfCause(cause, result);
  const label = phaseLabel({
    name: cause.phase,
    ...(cause.subject !== undefined && { subject: cause.subject }),
  });
  const took = phase?.startedAt == null ? "" : ` after ${formatDuration(phase.durationMs)}`;
  const tail = lastLines(cause, result, max);
  const detail = detailBeyond(cause.detail, tail);
  const field = (name: string, value: string | undefined) =>
    value === undefined || value === "" ? [] : [`  ${name}: ${value}`];
  const total = result.firstCause.length;
  // The line above may have said it already.
  const isTold = total > 1 || result.message === causeLine(cause);
  return [
    total > 1
      ? `Cause ${index + 1} of ${total}: ${plainLine(causeLine(cause))}`
      : `Resource ${plainLine(`${cause.resource} failed in phase ${label}${took}`)}`,
    ...(isTold ? [] : [`  why: ${withCode(cause.message, cause.code)}`]),
    ...(detail === undefined
      ? []
      : plainText(shorten(detail, MAX_DETAIL))
          .split("\n")
          .map((line) => `  │ ${line}`)),
    ...field("at", cause.position === null ? undefined : placeOf(cause.position)),
    ...field("try", cause.hint && plainLine(cause.hint)),
    ...(tail.length === 0 ? [] : [`  last log lines${cause.log ? ` (${cause.log})` : ""}:`]),
    ...tail.map((line) => `  │ ${plainLogLine(line)}`),
    ...field("failed because of it", listNames(cause.echoes)),
    ...field("never started because of it", listNames(cause.blocked)),
  ];
}
