import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  createRunId,
  identifyProcess,
  openRecord,
  RUN_VARIABLE,
  stateDirectory,
} from "../cluster/index.ts";
import type { Host } from "../host/host.ts";
import { createHostWith } from "../host/with-env.ts";
import type { RunInfo } from "../model/event.ts";
import { EXIT, type ExitCode } from "../model/result.ts";
import {
  createReportWriter,
  createScrubber,
  exitCodeAfterReports,
  type ReportWriter,
  type Scrubber,
  type Secret,
} from "../report/index.ts";
import type { RunIo, RunObserver } from "../run.ts";
import type { RunOptions } from "../run-options.ts";
import { VERSION } from "../version.ts";
import { createEventLog } from "./event-log.ts";
import { describeRepository } from "./repository.ts";
import { registryCredentials } from "./secrets.ts";
import type { Session } from "./session.ts";
import type { RunVerdict } from "./verdict.ts";

/** Opens a run: its id, its record, its event log with the readers of it. Throws `EnvironmentError` without a state directory. */
export async function openSession(options: RunOptions, outside: Host, io: RunIo): Promise<Session> {
  const startedAt = outside.clock.now();
  const id = options.runId ?? createRunId();
  // Whatever this run starts carries its mark: an orphan is then told from everybody else's processes.
  const host = createHostWith(outside, { [RUN_VARIABLE]: id });
  const stateDir = stateDirectory(host);
  const [record, repository] = await Promise.all([
    openRecord(stateDir, id, host),
    describeRepository(options.tiltfile, options.checkout, host),
  ]);
  const temporaryDirectory = join(stateDir, "tmp", id);
  await record.add(
    { type: "report", path: options.reports.directory },
    { type: "path", path: temporaryDirectory },
  );
  const scrubber = tellingScrubber(io.observer, await knownSecrets(options, host));
  const reports = openReports(options, scrubber, host);
  const log = createEventLog();
  log.listen((event) => {
    reports.event(event);
    io.observer.event(scrubber.data(event));
  });
  const broken = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([io.cancel, broken.signal, over.signal]);
  // every build, request and command of a large run listens to it
  setMaxListeners(0, signal);
  const now = () => host.clock.now();
  const session: Session = {
    info: runInfo(id, options, repository),
    options,
    host,
    unmarkedHost: outside,
    log,
    startedAt,
    stateDir,
    temporaryDirectory,
    record,
    reports,
    scrubber,
    cancelled: io.cancel,
    hurry: io.hurry,
    broken,
    over,
    signal,
    privatePaths: [options.reports.directory, stateDir],
    ...noneYet(),
    kept: undefined,
    line: (line) => io.observer.line(reports.log({ at: now(), ...line })),
    warn: (message, about = {}) => log.append({ type: "warning", at: now(), message, ...about }),
    notice: (message, resource) =>
      log.append({
        type: "notice",
        at: now(),
        message,
        ...(resource === undefined ? {} : { resource }),
      }),
    reached: (resource, milestone) =>
      log.append({ type: "reached", at: now(), resource, milestone }),
    now,
    ownProcess: (pid) => void ownProcess(session, pid),
    conclude: (verdict) => {
      if (!log.events.some(({ type }) => type === "verdict"))
        log.append({ type: "verdict", at: now(), ...verdict });
    },
    finish: (verdict, tornDown) => finishRun(session, verdict, tornDown, io.observer),
  };
  log.append({ type: "run-started", at: startedAt, run: session.info });
  return session;
}

/** What parts of the run add themselves to as they come to be. */
function noneYet(): Pick<
  Session,
  "closables" | "cleanUps" | "connections" | "collectors" | "confirmations" | "hints"
> {
  return {
    ...{ closables: [], cleanUps: [], connections: [] },
    ...{ collectors: [], confirmations: [], hints: [] },
  };
}

/** The last event and the last reports. What cannot be written is told, and counts when the user asked for it. */
function finishRun(
  { log, reports, now }: Session,
  { verdict, exitCode: verdictCode }: RunVerdict,
  tornDown: boolean,
  observer: RunObserver,
): ExitCode {
  const afterTeardown: ExitCode =
    verdict === "passed" && !tornDown ? EXIT.environment : verdictCode;
  const exitCode = exitCodeAfterReports(afterTeardown, reports.problems()) as ExitCode;
  // secrets that commands have applied were not known from the beginning
  reports.rescrub(log.events);
  observer.report(reports.result());
  log.append({ type: "run-finished", at: now(), exitCode });
  observer.report(reports.result());
  const problems = reports.finish();
  for (const { path, message } of problems)
    observer.event({ type: "warning", at: now(), message: `Cannot write ${path}: ${message}` });
  return exitCodeAfterReports(exitCode, problems) as ExitCode;
}

function openReports(
  { reports, console }: RunOptions,
  scrubber: Scrubber,
  host: Host,
): ReportWriter {
  const { junitPrefix, reportDeselected, directory, directoryGiven } = reports;
  const { junit, json, ctrf, events } = reports;
  return createReportWriter(
    {
      directory,
      directoryAsked: directoryGiven,
      ...(junit ? { junit } : {}),
      ...(json ? { json } : {}),
      ...(ctrf ? { ctrf } : {}),
      ...(events ? { events: events === "-" ? console.writeEvent : events } : {}),
      junitOptions: {
        deselected: reportDeselected,
        ...(junitPrefix ? { prefix: junitPrefix } : {}),
      },
    },
    scrubber,
    host.clock,
  );
}

async function ownProcess(session: Session, pid: number): Promise<void> {
  const identity = await identifyProcess(pid, session.host);
  if (identity) await session.record.add({ type: "process", process: identity }).catch(() => {}); // it carries the run's mark all the same
}

/** A scrubber that hands on what it is told to hide. Values of a Tiltfile's Secrets are often ordinary words: those it keeps. */
function tellingScrubber(observer: RunObserver, known: readonly Secret[]): Scrubber {
  const scrubber = createScrubber();
  const telling: Scrubber = {
    ...scrubber,
    add(secrets) {
      for (const { value, origin } of secrets) if (origin === "explicit") observer.secret?.(value);
      return scrubber.add(secrets);
    },
  };
  telling.add(known);
  return telling;
}

/** What must appear nowhere from the first line on. */
async function knownSecrets({ secretEnv, secrets }: RunOptions, { env }: Host): Promise<Secret[]> {
  const named = secretEnv.flatMap((name) =>
    env[name] ? [{ label: `env ${name}`, value: env[name], origin: "explicit" as const }] : [],
  );
  const told = secrets.map((secret) => ({ ...secret, origin: "explicit" as const }));
  return [...named, ...told, ...(await registryCredentials(env))];
}

function runInfo(
  id: string,
  options: RunOptions,
  repository: { readonly top?: string; readonly sha?: string },
): RunInfo {
  const { policy, tiltfile } = options;
  const { timeoutMs, readinessTimeoutMs, gracePeriodMs, stableForMs, failureWindowMs } = policy;
  return {
    id,
    version: VERSION,
    command: options.command,
    argv: options.argv,
    tiltfile,
    directory: tiltfile.replace(/\/[^/]*$/, "") || "/",
    ...(repository.top ? { repository: repository.top } : {}),
    ...(repository.sha ? { gitSha: repository.sha } : {}),
    hostname: hostname(),
    limits: { timeoutMs, readinessTimeoutMs, gracePeriodMs, stableForMs, failureWindowMs },
    environment: { node: process.versions.node, platform: `${process.platform}/${process.arch}` },
    ...(options.ci ? { ci: options.ci } : {}),
  };
}
