import type { FirstCause, RunResult } from "../model/run-result.ts";
import { escapeHtml, scriptJson } from "./escape.ts";
import { PAGE_SCRIPT } from "./page/script.ts";
import { PAGE_STYLE } from "./page/style.ts";
import { plainText } from "./plain-text.ts";
import { reproduceCommand } from "./reproduce.ts";
import { detailBeyond, objectLabel } from "./story.ts";
import {
  causeLine,
  count,
  formatDuration,
  listNames,
  phaseLabel,
  placeOf,
  verdictLine,
} from "./wording.ts";

/*
 * `report.html`: one file that needs no network and, for its verdict and first cause, no script. The rest is drawn by
 * PAGE_SCRIPT from the JSON in the page; it makes text nodes only, so nothing that a program printed becomes markup.
 */

/** What the page shows beside the result itself. */
export interface PageSources {
  /** The end of a log (with times), at most `maxBytes`; undefined if there is none. */
  log(path: string, maxBytes: number): string | undefined;
  /** The objects applied for a resource as YAML, Secrets masked. */
  applied(resource: string): string | undefined;
}

/** Logs in the page, all together; whole logs are files beside it. */
const MAX_LOG_BYTES = 6 * 1024 * 1024;
const RED_LOG_BYTES = 256 * 1024;
const GREEN_LOG_BYTES = 32 * 1024;
const MAX_APPLIED_BYTES = 4 * 1024 * 1024;
const CAUSE_LOG_LINES = 20;
const MAX_CAUSES = 10;

/** The page for a result, whole or partial. */
export function renderHtml(result: RunResult, sources: PageSources): string {
  const title = `${result.verdict.toUpperCase()} · ${result.run.tiltfile} · tilt-ci`;
  const data = {
    result: withoutTails(result),
    logs: embeddedLogs(result, sources),
    applied: embeddedObjects(result, sources),
  };
  return `<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline';img-src data:;base-uri 'none';form-action 'none'">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#resources">To the resources</a>
<div class="top"><div>
<span class="badge ${result.verdict}">${result.verdict.toUpperCase()}</span>
<nav aria-label="Sections"><a href="#cause">First cause</a><a href="#timeline">Timeline</a><a href="#graph">Graph</a><a href="#resources">Resources</a><a href="#logs">Log search</a><a href="#about">Run</a></nav>
<button type="button" id="theme" aria-label="Colour scheme">Theme</button>
</div></div>
<main>
${renderHead(result)}
<div id="cause">${renderCauses(result)}</div>
<noscript><p class="card">The timeline, graph and logs need JavaScript; report.json and logs/ beside this file hold the same.</p></noscript>
<div id="app"></div>
</main>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

function renderHead(result: RunResult): string {
  const { run } = result;
  const facts: [string, string | null][] = [
    ["took", formatDuration(result.durationMs)],
    ["exit code", String(result.exitCode)],
    ["started", result.startedAt],
    ["commit", run.gitSha?.slice(0, 12) ?? null],
    ["cluster", run.clusterName],
    ["run", run.id],
    ["tilt-ci", run.version],
  ];
  const spans = facts
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `<span>${name} <b>${escapeHtml(value ?? "")}</b></span>`);
  return `<div class="head"><h1>${escapeHtml(verdictLine(result))}</h1>${spans.join("")}</div>`;
}

function renderCauses(result: RunResult): string {
  if (result.firstCause.length === 0) return renderNoCause(result);
  const shown = result.firstCause.slice(0, MAX_CAUSES);
  const more = result.firstCause.length - shown.length;
  const heading =
    shown.length > 1
      ? `<p class="note">${count(result.firstCause.length, "independent cause")}, the earliest first</p>`
      : "";
  const rest = more > 0 ? `<p class="note">and ${more} more under Resources</p>` : "";
  return heading + shown.map((cause) => renderCause(cause, result)).join("") + rest;
}

function renderNoCause(result: RunResult): string {
  const { passed } = result.counts;
  const text =
    result.verdict === "passed"
      ? `${count(passed, "resource")} ${result.run.command === "smoke" ? "checked" : "healthy"} after ${formatDuration(result.durationMs)}`
      : `Nothing had failed by then: ${result.message}`;
  return `<div class="card cause ${result.verdict}"><h2>${escapeHtml(text)}</h2></div>`;
}

function renderCause(cause: FirstCause, result: RunResult): string {
  const index = result.resources.findIndex(({ name }) => name === cause.resource);
  const phase = result.resources[index]?.phases.find(
    ({ name, subject }) => name === cause.phase && subject === cause.subject,
  );
  const tail = (phase?.log?.tail ?? []).slice(-CAUSE_LOG_LINES);
  const detail = detailBeyond(cause.detail, tail);
  const label = phaseLabel({
    name: cause.phase,
    ...(cause.subject !== undefined && { subject: cause.subject }),
  });
  const facts: [string, string][] = [
    ["Tiltfile", cause.position === null ? "" : placeOf(cause.position)],
    [objectLabel(cause), cause.object ?? ""],
    ["First seen", firstSeen(cause, result)],
    ["Try", cause.hint ?? ""],
    ["Echoes", listNames(cause.echoes, 12)],
    ["Blocked", listNames(cause.blocked, 12)],
    ["Whole log", cause.log ?? ""],
    ["Reproduce", reproduceCommand(result)],
  ];
  const rows = facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `<dt>${name}</dt><dd>${factValue(name, value)}</dd>`)
    .join("");
  const infrastructure = cause.code === "Infra" ? " error" : "";
  return `<article class="card cause${infrastructure}" aria-label="${escapeHtml(causeLine(cause))}">
<h2><a href="#r${index}">${escapeHtml(cause.resource)}</a> · ${escapeHtml(label)} <span class="code">${cause.code}</span></h2>
<p class="message">${escapeHtml(cause.message)}</p>
${detail === undefined ? "" : `<pre>${escapeHtml(detail)}</pre>`}
${tail.length === 0 ? "" : `<p class="note">Last log lines</p><pre class="tail"><code>${escapeHtml(tail.join("\n"))}</code></pre>`}
<dl>${rows}</dl></article>`;
}

function firstSeen({ evidenceAt }: FirstCause, { startedAt }: RunResult): string {
  if (evidenceAt === null) return "";
  if (startedAt === null) return evidenceAt;
  const into = formatDuration(Date.parse(evidenceAt) - Date.parse(startedAt));
  return `${into} into the run (${evidenceAt})`;
}

function factValue(name: string, value: string): string {
  const text = escapeHtml(value);
  if (name === "Whole log")
    return `<a href="${escapeHtml(encodeURI(value))}"><code>${text}</code></a>`;
  const isCode = ["Tiltfile", "Object", "Command", "Image", "Reproduce"].includes(name);
  return isCode ? `<code>${text}</code>` : text;
}

/** The page finds the tails in the logs that it carries. */
function withoutTails(result: RunResult): unknown {
  return {
    ...result,
    resources: result.resources.map((resource) => ({
      ...resource,
      phases: resource.phases.map(({ log, ...phase }) => {
        if (log === undefined) return phase;
        const { tail: _, ...rest } = log;
        return { ...phase, log: rest };
      }),
    })),
  };
}

/** Ends of logs by path: those of what did not pass first and longer, until the page is full. */
function embeddedLogs(result: RunResult, sources: PageSources): Record<string, string> {
  const logs: Record<string, string> = {};
  const known = result.resources.flatMap(({ phases }) =>
    phases.flatMap(({ log, status }) =>
      log === undefined ? [] : [{ log, red: status !== "passed" && status !== "skipped" }],
    ),
  );
  let room = MAX_LOG_BYTES;
  for (const { log, red } of known.toSorted((a, b) => Number(b.red) - Number(a.red))) {
    const max = Math.min(room, red ? RED_LOG_BYTES : GREEN_LOG_BYTES);
    const text = max > 0 ? sources.log(log.path, max) : undefined;
    if (text === undefined) continue;
    logs[log.path] = plainText(text);
    room -= text.length;
  }
  return logs;
}

function embeddedObjects(result: RunResult, sources: PageSources): Record<string, string> {
  const applied: Record<string, string> = {};
  let room = MAX_APPLIED_BYTES;
  for (const { name } of result.resources) {
    const yaml = sources.applied(name);
    if (yaml === undefined || yaml.length > room) continue;
    applied[name] = yaml;
    room -= yaml.length;
  }
  return applied;
}
