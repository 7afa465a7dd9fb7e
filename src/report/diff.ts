import type { PhaseStatus } from "../model/result.ts";
import type { PhaseResult, ResourceResult, RunResult } from "../model/run-result.ts";
import { plainLine } from "./plain-text.ts";
import { caseName, causeLine, count, formatDuration, withCode } from "./wording.ts";

export interface DiffOptions {
  /** A phase counts as slower (or quicker) beyond this share of its time before, 0.2 by default… */
  readonly minShare?: number;
  /** …and beyond this many milliseconds, 1000 by default. */
  readonly minMs?: number;
}

export interface ReportDiff {
  readonly before: string;
  readonly after: string;
  readonly verdict: readonly [before: string, after: string];
  readonly durationMs: readonly [before: number, after: number];
  readonly redder: readonly StatusChange[];
  readonly greener: readonly StatusChange[];
  readonly slower: readonly TimeChange[];
  readonly quicker: readonly TimeChange[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** First causes by fingerprint: in the second run only. */
  readonly newCauses: readonly string[];
}

export interface StatusChange {
  /** Case name as in JUnit. */
  readonly name: string;
  readonly before: PhaseStatus;
  readonly after: PhaseStatus;
  readonly why?: string;
}

export interface TimeChange {
  readonly name: string;
  readonly beforeMs: number;
  readonly afterMs: number;
}

const GOOD: ReadonlySet<PhaseStatus> = new Set(["passed", "skipped", "pending"]);

/** `tilt-ci report diff A B`: what became red or green, slower or quicker. Phases are matched by their fixed case names. */
export function diffReports(a: RunResult, b: RunResult, options: DiffOptions = {}): ReportDiff {
  const before = casesOf(a);
  const after = casesOf(b);
  const changes = [...after].flatMap(([name, phase]) => {
    const old = before.get(name);
    return old === undefined ? [] : [{ name, old, phase }];
  });
  const statusChanges = changes.filter(({ old, phase }) => old.status !== phase.status);
  const times = changes.flatMap(({ name, old, phase }) => timeChange(name, old, phase, options));
  const toChange = ({ name, old, phase }: (typeof changes)[number]) =>
    statusChange(name, old, phase);
  const known = new Set(a.firstCause.map(({ fingerprint }) => fingerprint));
  return {
    before: a.run.id,
    after: b.run.id,
    verdict: [a.verdict, b.verdict],
    durationMs: [a.durationMs, b.durationMs],
    redder: statusChanges.filter(({ old, phase }) => isRedder(old, phase)).map(toChange),
    greener: statusChanges.filter(({ old, phase }) => isRedder(phase, old)).map(toChange),
    slower: times.filter((t) => t.afterMs > t.beforeMs).toSorted(bySize),
    quicker: times.filter((t) => t.afterMs < t.beforeMs).toSorted(bySize),
    added: names(b).filter((name) => !names(a).includes(name)),
    removed: names(a).filter((name) => !names(b).includes(name)),
    newCauses: b.firstCause.filter(({ fingerprint }) => !known.has(fingerprint)).map(causeLine),
  };
}

/** Not red → red, or passed → did not get to run. */
function isRedder(before: PhaseResult, after: PhaseResult): boolean {
  if (GOOD.has(before.status) && !GOOD.has(after.status)) return true;
  return before.status === "passed" && after.status !== "passed";
}

function statusChange(name: string, before: PhaseResult, after: PhaseResult): StatusChange {
  const why =
    after.failure === undefined
      ? after.skipReason
      : withCode(after.failure.message, after.failure.code);
  return { name, before: before.status, after: after.status, ...(why !== undefined && { why }) };
}

/** Times are compared where both passed and did the work: a cached build is no quicker build. */
function timeChange(
  name: string,
  before: PhaseResult,
  after: PhaseResult,
  { minShare = 0.2, minMs = 1000 }: DiffOptions,
): TimeChange[] {
  if (before.status !== "passed" || after.status !== "passed" || before.name === "serve") return [];
  if ((before.cached ?? false) !== (after.cached ?? false)) return [];
  const change = Math.abs(after.durationMs - before.durationMs);
  if (change < minMs || change < before.durationMs * minShare) return [];
  return [{ name, beforeMs: before.durationMs, afterMs: after.durationMs }];
}

function bySize(a: TimeChange, b: TimeChange): number {
  return Math.abs(b.afterMs - b.beforeMs) - Math.abs(a.afterMs - a.beforeMs);
}

function casesOf({ resources }: RunResult): Map<string, PhaseResult> {
  return new Map(
    enabled(resources).flatMap((resource) =>
      resource.phases.map((phase) => [caseName(resource.name, phase), phase] as const),
    ),
  );
}

function names({ resources }: RunResult): string[] {
  return enabled(resources).map(({ name }) => name);
}

function enabled(resources: readonly ResourceResult[]): readonly ResourceResult[] {
  return resources.filter((resource) => resource.enabled);
}

/** A diff for people; says so when there is nothing to tell. */
export function formatDiff(diff: ReportDiff): string {
  const [before, after] = diff.durationMs;
  const verdict =
    diff.verdict[0] === diff.verdict[1]
      ? `still ${diff.verdict[1]}`
      : `${diff.verdict[0]} → ${diff.verdict[1]}`;
  const sections = [
    [
      `${diff.before} → ${diff.after}: ${verdict}, ${formatDuration(before)} → ${formatDuration(after)}`,
    ],
    list("Became red", diff.redder.map(formatStatus)),
    list("New first causes", diff.newCauses),
    list("Became green", diff.greener.map(formatStatus)),
    list("Slower", diff.slower.map(formatTime)),
    list("Quicker", diff.quicker.map(formatTime)),
    list("Added", diff.added),
    list("Removed", diff.removed),
  ].filter((section) => section.length > 0);
  if (sections.length === 1) sections.push(["No phase became red, green, slower or quicker"]);
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [
    `${title} (${count(items.length, "entry").replace("entrys", "entries")}):`,
    ...items.map((item) => `  ${plainLine(item)}`),
  ];
}

function formatStatus({ name, before, after, why }: StatusChange): string {
  return `${name}: ${before} → ${after}${why === undefined ? "" : `: ${why}`}`;
}

function formatTime({ name, beforeMs, afterMs }: TimeChange): string {
  const sign = afterMs > beforeMs ? "+" : "−";
  return `${name}: ${formatDuration(beforeMs)} → ${formatDuration(afterMs)} (${sign}${formatDuration(Math.abs(afterMs - beforeMs))})`;
}
