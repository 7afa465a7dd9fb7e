import type { FirstCause, PathSegment, RunResult } from "../model/run-result.ts";
import { escapeMarkdown, markdownBlock, markdownCode } from "./escape.ts";
import { plainLine, shorten } from "./plain-text.ts";
import { reproduceCommand } from "./reproduce.ts";
import { detailBeyond, failedPhase, lastLines, objectLabel, otherFailures } from "./story.ts";
import {
  causeLine,
  count,
  formatDuration,
  listNames,
  phaseTitle,
  placeOf,
  verdictLine,
  withCode,
} from "./wording.ts";

/** GitHub refuses a step summary of more than 1 MiB as a whole. */
export const MAX_SUMMARY_BYTES = 1024 * 1024;
const MAX_CAUSES = 10;
const MAX_FAILED = 30;
const MAX_BARS = 60;
const MAX_ROWS = 200;
const CAUSE_LINES = 30;
const FAILED_LINES = 10;
const MAX_BLOCK = 16 * 1024;

export interface SummaryOptions {
  readonly maxBytes?: number;
}

/**
 * The run for a GitHub step summary (Markdown): verdict, first causes, how to reproduce, failed resources with their last
 * log lines, phase table, timeline as Mermaid. Sections that no longer fit below `maxBytes` are left out, last ones first.
 */
export function renderSummary(result: RunResult, options: SummaryOptions = {}): string {
  const max = options.maxBytes ?? MAX_SUMMARY_BYTES;
  const sections = [
    verdictSection(result),
    ...result.firstCause.slice(0, MAX_CAUSES).map((cause) => causeSection(cause, result)),
    reproduceSection(result),
    resourceTable(result),
    timeline(result),
    ...failedSections(result),
    flakySection(result),
    phaseTable(result),
  ].filter((section) => section !== "");
  const note = "\n\n_Cut here: the rest is in the report._\n";
  let text = "";
  for (const section of sections) {
    const next = text === "" ? section : `${text}\n\n${section}`;
    if (Buffer.byteLength(next) + note.length + 1 > max)
      return Buffer.byteLength(text) + note.length > max ? "" : `${text}${note}`;
    text = next;
  }
  return `${text}\n`;
}

function verdictSection(result: RunResult): string {
  const mark = { passed: "✅", failed: "❌", error: "💥", cancelled: "🛑" }[result.verdict];
  const counts = (["passed", "failed", "error", "skipped", "cancelled", "pending"] as const)
    .filter((status) => result.counts[status] > 0)
    .map((status) => `${result.counts[status]} ${status}`);
  const facts = [
    escapeMarkdown(result.run.tiltfile),
    `${formatDuration(result.durationMs)}`,
    `exit code ${result.exitCode}`,
    ...counts,
  ];
  return `## ${mark} ${escapeMarkdown(verdictLine(result))}\n\n${facts.join(" · ")}`;
}

function causeSection(cause: FirstCause, result: RunResult): string {
  const tail = lastLines(cause, result, CAUSE_LINES);
  const detail = detailBeyond(cause.detail, tail);
  const facts = [
    ["Tiltfile", cause.position === null ? "" : markdownCode(placeOf(cause.position))],
    [objectLabel(cause), cause.object === undefined ? "" : markdownCode(cause.object)],
    ["Try", cause.hint === undefined ? "" : escapeMarkdown(cause.hint)],
    ["Failed because of it", escapeMarkdown(listNames(cause.echoes, 20))],
    ["Never started because of it", escapeMarkdown(listNames(cause.blocked, 20))],
  ].filter(([, value]) => value !== "");
  return [
    `### First cause: ${escapeMarkdown(causeLine(cause))}`,
    facts.map(([name, value]) => `- ${name}: ${value}`).join("\n"),
    detail === undefined ? "" : markdownBlock(shorten(detail, MAX_BLOCK)),
    tail.length === 0
      ? ""
      : `Last log lines:\n\n${markdownBlock(shorten(tail.join("\n"), MAX_BLOCK))}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function reproduceSection(result: RunResult): string {
  if (result.verdict === "passed") return "";
  return `### Reproduce\n\n${markdownBlock(reproduceCommand(result), "sh")}`;
}

/** Culprits, echoes, blocked, then the rest. */
function resourceTable(result: RunResult): string {
  const rank = { culprit: 0, echo: 1, blocked: 2 };
  const rows = result.resources
    .filter(({ enabled }) => enabled)
    .toSorted((a, b) => (a.role ? rank[a.role] : 3) - (b.role ? rank[b.role] : 3));
  if (rows.length === 0) return "";
  const lines = rows.slice(0, MAX_ROWS).map((resource) => {
    const failed = failedPhase(resource);
    const skipped = resource.phases.find(({ skipReason }) => skipReason !== undefined);
    const why =
      failed?.failure === undefined
        ? resource.status === "skipped"
          ? (skipped?.skipReason ?? "")
          : ""
        : `${failed.name}: ${withCode(failed.failure.message, failed.failure.code)}`;
    const cells = [
      resource.name,
      resource.role === "echo" ? `${resource.status} (echo)` : resource.status,
      resource.startedAt === null ? "" : formatDuration(resource.durationMs),
      shorten(why, 300),
    ];
    return `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  });
  const more = rows.length - lines.length;
  return [
    "### Resources",
    ["| resource | status | took | why |", "| --- | --- | --- | --- |", ...lines].join("\n"),
    ...(more > 0 ? [`and ${count(more, "more resource")}`] : []),
  ].join("\n\n");
}

function failedSections(result: RunResult): string[] {
  return otherFailures(result)
    .slice(0, MAX_FAILED)
    .map((resource) => {
      const phase = failedPhase(resource);
      const tail = (phase?.log?.tail ?? []).slice(-FAILED_LINES);
      const title = phase === undefined ? resource.name : phaseTitle(resource.name, phase);
      const because = resource.causedBy.map(({ resource: name, phase: of }) => `${name}: ${of}`);
      return [
        `#### ${escapeMarkdown(title)}`,
        phase?.failure === undefined
          ? ""
          : escapeMarkdown(withCode(phase.failure.message, phase.failure.code)),
        because.length === 0 ? "" : `Because of ${escapeMarkdown(listNames(because))}`,
        tail.length === 0 ? "" : markdownBlock(shorten(tail.join("\n"), MAX_BLOCK)),
      ]
        .filter((part) => part !== "")
        .join("\n\n");
    });
}

function flakySection(result: RunResult): string {
  const flaky = result.resources.flatMap((resource) =>
    resource.phases.filter((phase) => phase.flaky).map((phase) => ({ resource, phase })),
  );
  if (flaky.length === 0) return "";
  const lines = flaky.slice(0, MAX_FAILED).map(({ resource, phase }) => {
    const why = phase.attempts[0]?.failure?.message ?? "";
    return `- ${escapeMarkdown(phaseTitle(resource.name, phase))}: passed at attempt ${phase.attempts.length} (${escapeMarkdown(shorten(why, 300))})`;
  });
  return `### Flaky\n\n${lines.join("\n")}`;
}

function phaseTable(result: RunResult): string {
  if (result.timings.length === 0) return "";
  const lines = result.timings.map(
    ({ phase, count: phases, durationMs }) =>
      `| ${phase} | ${phases} | ${formatDuration(durationMs)} |`,
  );
  return `### Phases\n\n${["| phase | how many | wall time |", "| --- | ---: | ---: |", ...lines].join("\n")}`;
}

/** A Gantt chart of the longest phases, the critical path marked. */
function timeline(result: RunResult): string {
  const start = result.startedAt === null ? Number.NaN : Date.parse(result.startedAt);
  const bars = result.resources.flatMap((resource) =>
    resource.phases.flatMap((phase) =>
      phase.startedAt === null || Number.isNaN(start)
        ? []
        : [{ resource, phase, from: Math.max(0, Date.parse(phase.startedAt) - start) }],
    ),
  );
  if (bars.length === 0) return "";
  const longest = new Set(
    bars.toSorted((a, b) => b.phase.durationMs - a.phase.durationMs).slice(0, MAX_BARS),
  );
  const lines: string[] = [];
  let section = "";
  for (const bar of bars) {
    if (!longest.has(bar)) continue;
    const { resource, phase, from } = bar;
    if (resource.name !== section) lines.push(`    section ${mermaidText(resource.name)}`);
    section = resource.name;
    const onPath = result.criticalPath.some((segment) => isSegment(segment, resource.name, phase));
    const red = phase.status !== "passed" && phase.status !== "skipped";
    const tags = [...(red ? ["crit"] : []), ...(onPath ? ["active"] : [])].map((tag) => `${tag}, `);
    const label = mermaidText(
      phase.subject === undefined ? phase.name : `${phase.name} ${phase.subject}`,
    );
    lines.push(
      `    ${label} (${formatDuration(phase.durationMs)}) :${tags.join("")}${from}, ${from + Math.max(1, Math.round(phase.durationMs))}`,
    );
  }
  const chart = ["gantt", "    dateFormat x", "    axisFormat %M:%S", ...lines].join("\n");
  const left =
    bars.length > longest.size ? `, the ${longest.size} longest of ${bars.length} phases` : "";
  return `### Timeline\n\nHighlighted: critical path; red: failed${left}.\n\n${markdownBlock(chart, "mermaid")}`;
}

function isSegment(
  segment: PathSegment,
  resource: string,
  phase: { readonly name: string; readonly subject?: string },
): boolean {
  return (
    segment.resource === resource &&
    segment.phase === phase.name &&
    segment.subject === phase.subject
  );
}

/** Mermaid has no escaping in Gantt labels: its separators and markup become look-alikes or spaces. */
function mermaidText(text: string): string {
  const safe = shorten(plainLine(text), 60)
    .replaceAll(":", "꞉")
    .replace(/[#;,"'`<>{}%\\]/g, " ")
    .trim();
  return safe === "" ? "unnamed" : safe;
}
