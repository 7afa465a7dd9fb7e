import { UsageError } from "../errors.ts";
import { EXIT, type PhaseName, type PhaseStatus, type Verdict } from "../model/result.ts";
import {
  type PhaseTiming,
  type ResourceResult,
  type RunResult,
  SCHEMA_VERSION,
} from "../model/run-result.ts";

import { countStatuses } from "./count-statuses.ts";

/** A report with the name of the directory it came from, to which its paths are relative. */
export interface MergeInput {
  readonly result: RunResult;
  /** Path from the merged report's directory to this one's, with `/`; "" if they are the same. */
  readonly path: string;
}

/**
 * `tilt-ci report merge A B…`: the reports of one run in shards as one. The worst verdict counts (cancelled beats error
 * beats failed beats passed: a shard that did not come to its end may hide anything), exit codes go with it. A resource that
 * several shards ran keeps the worst outcome; one that only some selected is taken from these. Throws `UsageError` without reports.
 */
export function mergeReports(inputs: readonly MergeInput[]): RunResult {
  const [first] = inputs;
  if (first === undefined) throw new UsageError("report merge needs at least one report");
  const shards = inputs.map(({ result, path }) => moved(result, path));
  const worst = shards.toSorted((a, b) => RANK[b.verdict] - RANK[a.verdict])[0]!;
  const resources = mergeResources(shards);
  const failing = shards.filter(({ verdict }) => verdict !== "passed");
  return {
    ...first.result,
    schemaVersion: SCHEMA_VERSION,
    run: { ...first.result.run, id: shards.map(({ run }) => run.id).join("+") },
    complete: shards.every(({ complete }) => complete),
    verdict: worst.verdict,
    exitCode: worst.verdict === "passed" ? EXIT.passed : worst.exitCode,
    message: worst.message,
    startedAt: extreme(
      shards.map(({ startedAt }) => startedAt),
      -1,
    ),
    finishedAt: shards.every(({ finishedAt }) => finishedAt !== null)
      ? extreme(
          shards.map(({ finishedAt }) => finishedAt),
          1,
        )
      : null,
    durationMs: wallTime(shards),
    firstCause: failing.flatMap(({ firstCause }) => firstCause).toSorted(byEvidence),
    counts: countStatuses(resources),
    resources,
    timings: mergeTimings(shards),
    criticalPath: shards.toSorted((a, b) => b.durationMs - a.durationMs)[0]?.criticalPath ?? [],
    images: unique(
      shards.flatMap(({ images }) => images),
      ({ ref }) => ref,
    ),
    environment: Object.assign(
      {},
      ...shards.map(({ environment }) => environment).toReversed(),
    ) as RunResult["environment"],
    artifacts: shards.flatMap(({ artifacts }) => artifacts),
    warnings: unique(
      shards.flatMap(({ warnings }) => warnings),
      ({ message, position }) => JSON.stringify([message, position]),
    ),
  };
}

const RANK: Readonly<Record<Verdict, number>> = { passed: 0, failed: 1, error: 2, cancelled: 3 };

/** Worse outcomes win; a resource that ran beats one that was left out. */
const STATUS_RANK: Readonly<Record<PhaseStatus, number>> = {
  error: 6,
  failed: 5,
  cancelled: 4,
  running: 3,
  passed: 2,
  pending: 1,
  skipped: 0,
};

function mergeResources(shards: readonly RunResult[]): ResourceResult[] {
  const merged = new Map<string, ResourceResult>();
  for (const { resources } of shards)
    for (const resource of resources) {
      const known = merged.get(resource.name);
      if (known === undefined || rankOf(resource) > rankOf(known))
        merged.set(resource.name, resource);
    }
  return [...merged.values()];
}

function rankOf({ enabled, status, role }: ResourceResult): number {
  if (!enabled) return -1;
  // Blocked by something that failed is news; skipped for not being selected is not.
  return role === "blocked" ? STATUS_RANK.passed + 0.5 : STATUS_RANK[status];
}

function moved(result: RunResult, path: string): RunResult {
  if (path === "") return result;
  const at = (file: string) => `${path}/${file}`;
  return {
    ...result,
    artifacts: result.artifacts.map((artifact) => ({ ...artifact, path: at(artifact.path) })),
    firstCause: result.firstCause.map((cause) =>
      cause.log === undefined ? cause : { ...cause, log: at(cause.log) },
    ),
    resources: result.resources.map((resource) => ({
      ...resource,
      phases: resource.phases.map((phase) =>
        phase.log === undefined
          ? phase
          : { ...phase, log: { ...phase.log, path: at(phase.log.path) } },
      ),
    })),
  };
}

function mergeTimings(shards: readonly RunResult[]): PhaseTiming[] {
  const merged = new Map<PhaseName, PhaseTiming>();
  for (const { timings } of shards)
    for (const timing of timings) {
      const known = merged.get(timing.phase);
      merged.set(timing.phase, known === undefined ? timing : joinTimings(known, timing));
    }
  return [...merged.values()];
}

/** Shards run on machines of their own: what each was busy with adds up. */
function joinTimings(a: PhaseTiming, b: PhaseTiming): PhaseTiming {
  return {
    phase: a.phase,
    startedAt: [a.startedAt, b.startedAt].toSorted()[0]!,
    finishedAt: [a.finishedAt, b.finishedAt].toSorted()[1]!,
    durationMs: a.durationMs + b.durationMs,
    count: a.count + b.count,
  };
}

function byEvidence(
  a: RunResult["firstCause"][number],
  b: RunResult["firstCause"][number],
): number {
  return (a.evidenceAt ?? "") < (b.evidenceAt ?? "") ? -1 : 1;
}

function wallTime(shards: readonly RunResult[]): number {
  const spans = shards.flatMap(({ startedAt, durationMs }) =>
    startedAt === null
      ? []
      : [[Date.parse(startedAt), Date.parse(startedAt) + durationMs] as const],
  );
  if (spans.length === 0) return 0;
  return Math.max(...spans.map(([, end]) => end)) - Math.min(...spans.map(([start]) => start));
}

function extreme(times: readonly (string | null)[], sign: 1 | -1): string | null {
  const known = times.filter((time) => time !== null).toSorted();
  return (sign === 1 ? known.at(-1) : known[0]) ?? null;
}

function unique<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(items.toReversed().map((item) => [key(item), item])).values()].toReversed();
}
