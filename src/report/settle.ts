import { createHash } from "node:crypto";
import {
  CLUSTER_SUBJECT,
  EXIT,
  PHASES,
  successMessage,
  TILTFILE_SUBJECT,
  type Verdict,
} from "../model/result.ts";
import {
  type Artifact,
  type FirstCause,
  type ReportedCluster,
  type ReportedRun,
  type ResourceResult,
  type RunResult,
  SCHEMA_VERSION,
} from "../model/run-result.ts";
import { countStatuses } from "./count-statuses.ts";
import { criticalPath } from "./critical-path.ts";
import {
  type Attribution,
  attribute,
  type FailedPhase,
  normalise,
  type Peer,
} from "./first-cause.ts";
import { imageResults } from "./image-results.ts";
import { type LogIndex, TAIL_LINES } from "./log-index.ts";
import { logPath, type PhaseId, phaseKey } from "./log-path.ts";
import { failureOf, subjectOf } from "./outcome.ts";
import { locator, relativePath, timestamp, timestampOrNull } from "./places.ts";
import { settleResource } from "./settle-resource.ts";
import { hasFailed, orderedResources, type ResourceState, type RunState } from "./state.ts";
import { phaseTimings } from "./timings.ts";
import { causeLine } from "./wording.ts";

export interface SettleOptions {
  readonly logs?: LogIndex;
  readonly artifacts?: readonly Artifact[];
}

export const SCHEMA_PATH = "docs/report.schema.json";

/** The result of the events so far: see `RunResult.complete` for what that means while a run goes on. */
export function settle(state: RunState, options: SettleOptions = {}): RunResult {
  const attribution = attribute(failedPhases(state, options.logs), peers(state));
  const resources = orderedResources(state).map((resource) =>
    settleResource(resource, state, attribution, options.logs),
  );
  const ending = endOf(state, attribution);
  const firstCause = firstCauses(state, attribution, resources, options.logs, ending);
  const message = messageOf(state, ending, firstCause);
  return {
    $schema: SCHEMA_PATH,
    schemaVersion: SCHEMA_VERSION,
    run: reportedRun(state),
    complete: state.finished !== undefined,
    ...ending,
    message,
    startedAt: timestampOrNull(state.startedAt),
    finishedAt: timestampOrNull(state.finished?.at),
    durationMs: Math.max(0, (state.finished?.at ?? state.now) - (state.startedAt ?? state.now)),
    firstCause,
    counts: countStatuses(resources),
    resources,
    timings: phaseTimings(state),
    criticalPath: criticalPath(state),
    images: imageResults(resources),
    cluster: reportedCluster(state),
    limits: state.run?.limits ?? NO_LIMITS,
    environment: state.run?.environment ?? {},
    artifacts: options.artifacts ?? [],
    warnings: state.warnings.map(({ at, resource, message: text, position }) => ({
      at: timestamp(at),
      ...(resource !== undefined && { resource }),
      message: text,
      position: position === undefined ? null : locator(state.run)(position),
    })),
  };
}

const NO_LIMITS = {
  timeoutMs: 0,
  readinessTimeoutMs: 0,
  gracePeriodMs: 0,
  stableForMs: 0,
  failureWindowMs: 0,
};

function reportedCluster({ cluster }: RunState): ReportedCluster | null {
  if (cluster?.context === undefined || cluster.kubeconfig === undefined) return null;
  const { name, context, kubeconfig, registryHost, stays } = cluster;
  return {
    name: name ?? null,
    context,
    kubeconfig,
    registryHost: registryHost ?? null,
    stays: stays ?? false,
  };
}

function reportedRun({ run, cluster }: RunState): ReportedRun {
  return {
    id: run?.id ?? "",
    version: run?.version ?? "",
    command: run?.command ?? "",
    argv: run?.argv ?? [],
    tiltfile: run === undefined ? "Tiltfile" : relativePath(run, run.tiltfile),
    directory: run?.directory ?? "",
    gitSha: run?.gitSha ?? null,
    clusterName: run?.clusterName ?? cluster?.name ?? null,
    ci: run?.ci ?? null,
    hostname: run?.hostname ?? "",
  };
}

interface Ending {
  readonly verdict: Verdict;
  readonly exitCode: number;
}

/** The verdict: exit 2 and 3 are always `error`. Before there is one: what the failures so far will lead to. */
function endOf(state: RunState, { culprits }: Attribution): Ending {
  if (state.verdict !== undefined) {
    const exitCode = state.finished?.exitCode ?? state.verdict.exitCode;
    const broken = exitCode === EXIT.badInput || exitCode === EXIT.environment;
    return { verdict: broken ? "error" : state.verdict.verdict, exitCode };
  }
  const known = state.finished?.exitCode;
  const first = culprits[0];
  if (first === undefined) return ending(known ?? EXIT.sigint);
  if (first.id.resource === TILTFILE_SUBJECT || first.id.phase === "evaluate")
    return ending(known ?? EXIT.badInput);
  return ending(
    known ?? (first.status === "error" || isCluster(first) ? EXIT.environment : EXIT.failed),
  );
}

function ending(exitCode: number): Ending {
  if (exitCode === EXIT.passed) return { verdict: "passed", exitCode };
  if (exitCode === EXIT.failed) return { verdict: "failed", exitCode };
  const broken = exitCode === EXIT.badInput || exitCode === EXIT.environment;
  return { verdict: broken ? "error" : "cancelled", exitCode };
}

function isCluster({ id }: FailedPhase): boolean {
  return id.resource === CLUSTER_SUBJECT;
}

function messageOf(state: RunState, { verdict }: Ending, causes: readonly FirstCause[]): string {
  if (verdict === "passed") return successMessage(state.run?.command ?? "ci");
  const [first] = causes;
  if (first !== undefined && verdict !== "cancelled") return causeLine(first);
  if (state.verdict !== undefined && state.verdict.message !== "") return state.verdict.message;
  return state.finished === undefined ? "it was still running" : "cancelled";
}

function failedPhases(state: RunState, logs: LogIndex | undefined): FailedPhase[] {
  const failed: FailedPhase[] = [];
  for (const resource of state.resources.values())
    for (const phase of resource.phases.values()) {
      if (!hasFailed(phase)) continue;
      const failure = failureOf(phase, resource);
      failed.push({
        id: phase.id,
        status: phase.status,
        failure,
        // never after it was told: another clock may be ahead of ours
        evidenceAt: Math.min(failure.evidenceAt ?? Infinity, phase.finishedAt ?? state.now),
        ...(resource.troubleSince !== undefined && { troubleSince: resource.troubleSince }),
        lines: [
          // A container may be called as a peer is.
          failure.message.replace(/\bcontainer "[^"]*"/g, "container"),
          ...(failure.detail?.split("\n") ?? []),
          ...evidenceLogs(resource, phase.id, logs),
        ],
      });
    }
  return failed;
}

/** The output of a workload is told under the phase that waits for it, which may not be the one that failed. */
function evidenceLogs(
  resource: ResourceState,
  id: PhaseId,
  logs: LogIndex | undefined,
): readonly string[] {
  if (logs === undefined) return [];
  const own = logs.tail(id, TAIL_LINES);
  if (own.length > 0 || PHASES.indexOf(id.phase) < PHASES.indexOf("ready")) return own;
  const others = [...resource.phases.values()].filter(
    (phase) => PHASES.indexOf(phase.id.phase) >= PHASES.indexOf("ready"),
  );
  return others.flatMap((phase) => logs.tail(phase.id, TAIL_LINES));
}

function peers(state: RunState): Map<string, Peer> {
  const known = new Map<string, Peer>();
  for (const { name, planned, phases } of state.resources.values()) {
    const passed = [...phases.values()].flatMap(({ id, passedAt }) =>
      PHASES.indexOf(id.phase) >= PHASES.indexOf("ready") && passedAt !== undefined ? passedAt : [],
    );
    known.set(name, {
      deps: planned?.resourceDeps ?? [],
      usesCluster: planned?.type === "k8s" || planned?.type === "custom",
      addresses: planned?.addresses ?? [],
      mentions: planned?.mentions ?? [],
      ...(passed.length > 0 && { availableAt: Math.max(...passed) }),
    });
  }
  return known;
}

function firstCauses(
  state: RunState,
  attribution: Attribution,
  resources: readonly ResourceResult[],
  logs: LogIndex | undefined,
  { verdict, exitCode }: Ending,
): FirstCause[] {
  const led = followers(attribution);
  const causes = attribution.culprits.map((culprit) =>
    toCause(culprit, state, led, resources, logs),
  );
  const failedTeardown = (cause: FirstCause) => cause.phase === "teardown";
  // A teardown that failed after a red run is told in its own phase; it is no cause of the red.
  if (causes.some((cause) => !failedTeardown(cause)))
    return causes.filter((cause) => !failedTeardown(cause));
  if (causes.length > 0 || verdict === "passed" || verdict === "cancelled") return causes;
  const input = exitCode === EXIT.badInput;
  const message = state.verdict?.message ?? "the run ended without saying why";
  return [
    {
      resource: input ? TILTFILE_SUBJECT : CLUSTER_SUBJECT,
      phase: input ? "evaluate" : "create",
      code: input ? "TiltfileError" : "Infra",
      message,
      position: null,
      evidenceAt: timestampOrNull(state.verdict?.at),
      fingerprint: fingerprint(input ? "TiltfileError" : "Infra", message),
      echoes: [],
      blocked: [],
    },
  ];
}

function toCause(
  culprit: FailedPhase,
  state: RunState,
  led: ReadonlyMap<string, ReadonlySet<string>>,
  resources: readonly ResourceResult[],
  logs: LogIndex | undefined,
): FirstCause {
  const { id, failure } = culprit;
  const position = failure.position ?? state.resources.get(id.resource)?.planned?.position;
  const following = led.get(phaseKey(id)) ?? new Set();
  const echoing = resources
    .filter(({ name, role }) => role === "echo" && following.has(name))
    .map(({ name }) => name);
  const known = new Set([id.resource, ...echoing]);
  return {
    resource: id.resource,
    phase: id.phase,
    ...subjectOf(id),
    code: failure.code,
    message: failure.message,
    position: position === undefined ? null : locator(state.run)(position),
    ...(failure.detail !== undefined && { detail: failure.detail }),
    ...(failure.object !== undefined && { object: failure.object }),
    ...(failure.hint !== undefined && { hint: failure.hint }),
    evidenceAt: timestamp(culprit.evidenceAt),
    ...(logs?.describe(id) !== undefined && { log: logPath(id) }),
    fingerprint: fingerprint(failure.code, failure.message, failure.object),
    echoes: echoing,
    blocked: resources
      .filter(
        ({ role, causedBy }) =>
          role === "blocked" && causedBy.some((link) => known.has(link.resource)),
      )
      .map(({ name }) => name),
  };
}

/** By the key of a culprit's phase: names of the resources whose failures lead back to it, itself left out. */
function followers({ echoes }: Attribution): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [key, echo] of echoes) {
    let root = phaseKey(echo.culprit.id);
    for (let up = echoes.get(root); up !== undefined; up = echoes.get(root))
      root = phaseKey(up.culprit.id);
    const names = found.get(root) ?? new Set();
    found.set(root, names);
    const name = key.slice(0, key.indexOf("\0"));
    if (!root.startsWith(`${name}\0`)) names.add(name);
  }
  return found;
}

function fingerprint(code: string, message: string, object = ""): string {
  const text = `${code}\n${normalise(object)}\n${normalise(message)}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
