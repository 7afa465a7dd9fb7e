import type { FirstCause, ResourceResult, RunResult } from "../model/run-result.ts";
import type { BundledFile } from "./bundle.ts";
import type { LoadedReport } from "./load-report.ts";
import { plainLine, plainLogLine, plainText } from "./plain-text.ts";
import { reproduceCommand } from "./reproduce.ts";
import { detailBeyond, failedPhase, lastLines, otherFailures, subjectOfCause } from "./story.ts";
import {
  causeLine,
  count,
  formatDuration,
  listNames,
  phaseLabel,
  placeOf,
  verdictLine,
  withCode,
} from "./wording.ts";

const LOG_LINES = 15;
const MAX_EVENTS = 8;
const MAX_FILES = 8;

/** `tilt-ci explain REPORT`: the story of a finished run as plain text, in the order in which it happened. */
export function explain({ result, directory, bundle }: LoadedReport): string {
  const sections = [
    opening(result),
    timeStory(result),
    ...result.firstCause.map((cause) =>
      causeStory(
        cause,
        result,
        evidenceFiles(
          cause,
          bundle?.collectors.flatMap((c) => c.files),
        ),
      ),
    ),
    consequences(result),
    flaky(result),
    bundle === undefined
      ? ""
      : `Evidence: ${directory}/bundle (${bundle.collectors.map(({ name, status }) => (status === "done" ? name : `${name}: ${status}`)).join(", ")})`,
    result.verdict === "passed" ? "" : `Reproduce: ${reproduceCommand(result)}`,
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function opening(result: RunResult): string {
  const { run, counts } = result;
  const parts = (["passed", "failed", "error", "skipped", "cancelled", "pending"] as const)
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${status}`);
  const facts = [
    `${run.tiltfile}, run ${run.id}`,
    ...(result.startedAt === null ? [] : [`started ${result.startedAt}`]),
    `took ${formatDuration(result.durationMs)}`,
    `exit code ${result.exitCode}`,
  ];
  return [
    `${result.verdict.toUpperCase()}: ${plainLine(verdictLine(result))}`,
    facts.map(plainLine).join(", "),
    `resources: ${parts.join(", ") || "none"}`,
  ].join("\n");
}

/** Where the time went: the critical path, a line a segment. */
function timeStory({ criticalPath, startedAt }: RunResult): string {
  if (criticalPath.length === 0 || startedAt === null) return "";
  const zero = Date.parse(startedAt);
  const lines = criticalPath.map(
    ({ resource, phase, subject, startedAt: start, durationMs, waitedMs }) => {
      const at = formatDuration(Date.parse(start) - zero).padStart(7);
      const label = phaseLabel({ name: phase, ...(subject !== undefined && { subject }) });
      const waited = waitedMs > 500 ? `, after ${formatDuration(waitedMs)} of waiting` : "";
      return plainLine(
        `${at}  ${resource}: ${label} took ${formatDuration(durationMs)}${waited}`,
      ).padStart(0);
    },
  );
  return ["What took the time (critical path):", ...lines.map((line) => `  ${line}`)].join("\n");
}

function causeStory(cause: FirstCause, result: RunResult, files: readonly BundledFile[]): string {
  const { resource, phase } = subjectOfCause(cause, result);
  const zero = result.startedAt === null ? undefined : Date.parse(result.startedAt);
  const when =
    zero === undefined || cause.evidenceAt === null
      ? ""
      : `, first seen ${formatDuration(Date.parse(cause.evidenceAt) - zero)} into the run`;
  const tail = lastLines(cause, result, LOG_LINES);
  const detail = detailBeyond(cause.detail, tail);
  const events = (resource?.events ?? []).filter(({ warning }) => warning).slice(-MAX_EVENTS);
  const lines = [
    `First cause: ${plainLine(causeLine(cause))}${when}`,
    ...(cause.position === null ? [] : [`  declared at ${placeOf(cause.position)}`]),
    ...(phase?.attempts !== undefined && phase.attempts.length > 1
      ? [`  failed ${count(phase.attempts.length, "time")}`]
      : []),
    ...(detail === undefined ? [] : indent(detail)),
    ...(tail.length === 0
      ? []
      : ["  last log lines:", ...tail.map((line) => `  │ ${plainLogLine(line)}`)]),
    ...(events.length === 0 ? [] : ["  events:"]),
    ...events.map(
      ({ object, reason, message }) => `  │ ${plainLine(`${object}: ${reason}: ${message}`)}`,
    ),
    ...(resource?.observed == null ? [] : [`  last seen: ${plainLine(resource.observed.summary)}`]),
    ...(cause.hint === undefined ? [] : [`  try: ${plainLine(cause.hint)}`]),
    ...(cause.log === undefined ? [] : [`  whole log: ${cause.log}`]),
    ...files.slice(0, MAX_FILES).map(({ path }) => `  see: bundle/${path}`),
    `  about ${cause.code}: docs/failures.md#${cause.code.toLowerCase()}`,
  ];
  return lines.join("\n");
}

function indent(text: string): string[] {
  return plainText(text)
    .split("\n")
    .slice(0, 40)
    .map((line) => `  │ ${line}`);
}

/** Files of the bundle that are about the culprit: their path names it. */
function evidenceFiles(
  cause: FirstCause,
  files: readonly BundledFile[] = [],
): readonly BundledFile[] {
  const names = [cause.resource, cause.object?.split("/").at(-1) ?? ""].filter(
    (name) => name !== "",
  );
  return files.filter(({ path }) =>
    names.some((name) =>
      path.split(/[/.]/).some((part) => part === name || part.startsWith(`${name}-`)),
    ),
  );
}

function consequences(result: RunResult): string {
  const lines = [
    ...otherFailures(result).map((resource) => `  ${plainLine(consequence(resource))}`),
    ...result.resources
      .filter(({ role }) => role === "blocked")
      .map(({ name, causedBy }) => {
        const by = listNames(causedBy.map(({ resource, phase }) => `${resource}: ${phase}`));
        return `  ${plainLine(`${name} never started: blocked by ${by}`)}`;
      }),
  ];
  return lines.length === 0 ? "" : ["What followed:", ...lines].join("\n");
}

function consequence(resource: ResourceResult): string {
  const phase = failedPhase(resource);
  const failure = phase?.failure;
  const what = failure === undefined ? "failed" : withCode(failure.message, failure.code);
  const [link] = resource.causedBy;
  if (link === undefined) return `${resource.name} failed too: ${what}`;
  const shown = link.evidence === undefined ? "" : `, shown by: ${link.evidence}`;
  return `${resource.name} failed because of ${link.resource}: ${what}${shown}`;
}

function flaky({ resources }: RunResult): string {
  const lines = resources.flatMap(({ name, phases }) =>
    phases
      .filter((phase) => phase.flaky)
      .map((phase) => {
        const why = phase.attempts[0]?.failure?.message ?? "";
        return `  ${plainLine(`${name}: ${phaseLabel(phase)} passed at attempt ${phase.attempts.length}: ${why}`)}`;
      }),
  );
  return lines.length === 0 ? "" : ["Flaky:", ...lines].join("\n");
}
