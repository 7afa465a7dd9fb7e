import type { TestSuite } from "junit-report-builder";
import { isInfrastructure } from "../model/reason.ts";
import type { FirstCause, PhaseResult, ResourceResult, RunResult } from "../model/run-result.ts";
import { createJunit, extendCase, formatSeconds, setAttributes } from "./junit-builder.ts";
import { plainLine, plainText, shorten } from "./plain-text.ts";
import { reproduceCommand } from "./reproduce.ts";
import { detailBeyond } from "./story.ts";
import { caseName, causeLine, placeOf, withCode } from "./wording.ts";

/*
 * JUnit XML as its readers really read it (docs/reports.md, "JUnit"): one flat level, a suite a resource, a case a phase;
 * case names never change between runs; one failure or error a case, whose body repeats the message.
 */

export interface JunitOptions {
  /** Put before suite and class names (`prefix.api`): Jenkins takes what is before the last dot for a package. */
  readonly prefix?: string;
  /** Disabled resources too, as skipped. */
  readonly deselected?: boolean;
}

const BODY_LOG_LINES = 20;
const MAX_EVENTS = 10;
const MAX_SYSTEM_OUT = 64 * 1024;
const MAX_DETAIL = 8 * 1024;

/** `junit.xml`: complete and valid at any moment of a run. */
export function renderJunit(result: RunResult, options: JunitOptions = {}): string {
  const builder = createJunit("tilt-ci", result.durationMs / 1000);
  for (const resource of result.resources) {
    if (!resource.enabled && !options.deselected) continue;
    if (resource.phases.length === 0) continue;
    addSuite(builder.testSuite(), resource, result, options);
  }
  return `${builder.build()}\n`;
}

function addSuite(
  suite: TestSuite,
  resource: ResourceResult,
  result: RunResult,
  { prefix }: JunitOptions,
): void {
  const name = plainLine(prefix === undefined ? resource.name : `${prefix}.${resource.name}`);
  const file = resource.position?.file ?? result.run.tiltfile;
  suite.name(name);
  suite.timestamp((resource.startedAt ?? result.startedAt ?? "1970-01-01T00:00:00").slice(0, 19));
  setAttributes(suite, {
    time: formatSeconds(resource.durationMs / 1000),
    hostname: plainLine(result.run.hostname) || "localhost",
    file: plainLine(file),
  });
  for (const [key, value] of suiteProperties(resource, result))
    suite.property(plainLine(key), shorten(plainLine(value), 2000));
  for (const phase of resource.phases) addCase(suite, name, phase, resource, result);
}

function suiteProperties(resource: ResourceResult, result: RunResult): [string, string][] {
  const { run, environment } = result;
  const properties: [string, string][] = [
    ["cluster", run.clusterName ?? ""],
    ["kubernetes", environment.kubernetes ?? ""],
    ["args", run.argv.join(" ")],
    ["git.sha", run.gitSha ?? ""],
    ["trace.id", environment.traceId ?? ""],
  ];
  for (const image of result.images)
    if (image.digest !== null && resource.images.includes(image.ref))
      properties.push([`image ${image.ref}`, image.digest]);
  for (const phase of resource.phases) {
    // Jenkins' schema has properties on suites only, so these name their case.
    if (phase.cached) properties.push([`${caseName(resource.name, phase)}: cached`, "true"]);
    if (phase.log?.tail !== undefined) properties.push(["attachment", phase.log.path]);
  }
  return properties.filter(([, value]) => value !== "");
}

function addCase(
  suite: TestSuite,
  className: string,
  phase: PhaseResult,
  resource: ResourceResult,
  result: RunResult,
): void {
  const testCase = suite.testCase();
  testCase.className(className).name(plainLine(caseName(resource.name, phase)));
  setAttributes(testCase, { time: formatSeconds(phase.durationMs / 1000) });
  const position = phase.failure?.position ?? resource.position;
  const file = position?.file ?? result.run.tiltfile;
  testCase.file(plainLine(file));
  const line = position === null || position === undefined ? {} : { line: position.line };
  const retried = retriedAttempts(phase);
  if (phase.status === "skipped" || phase.status === "pending") {
    testCase.skipped();
    const message = phase.skipReason ?? "not started when this report was written";
    extendCase(testCase, { ...line, skippedMessage: plainLine(message) });
    return;
  }
  if (phase.status === "passed" || phase.failure === undefined) {
    extendCase(testCase, {
      ...line,
      ...(retried && { retried: { passed: true, attempts: retried } }),
    });
    return;
  }
  const { code, message } = phase.failure;
  const text = withCode(message, code);
  if (isError(phase)) testCase.error(text, code);
  else testCase.failure(text, code);
  const systemOut = systemOutOf(phase);
  extendCase(testCase, {
    ...line,
    body: failureBody(phase, resource, result),
    ...(retried && { retried: { passed: false, attempts: retried } }),
    ...(systemOut !== undefined && { systemOut }),
  });
}

/** Ours or the environment's fault, or cut short: `error`; the user's software or Tiltfile: `failure`. */
function isError({ status, code }: PhaseResult): boolean {
  if (code === "TiltfileError") return false;
  return status === "error" || status === "cancelled" || (code !== null && isInfrastructure(code));
}

function retriedAttempts(phase: PhaseResult) {
  const before = phase.attempts.slice(0, -1).flatMap(({ failure }) => failure ?? []);
  if (before.length === 0) return undefined;
  return before.map(({ code, message, detail }) => ({
    type: code,
    message: withCode(message, code),
    stackTrace: plainText(detail ?? message),
  }));
}

/** Message, first cause, last log lines, events, Tiltfile line, how to reproduce: GitLab and dorny show only this. */
function failureBody(phase: PhaseResult, resource: ResourceResult, result: RunResult): string {
  const failure = phase.failure!;
  const cause = causeOf(phase, resource, result);
  const tail = (phase.log?.tail ?? []).slice(-BODY_LOG_LINES);
  const detail = detailBeyond(failure.detail, tail);
  const events = resource.events.filter(({ warning }) => warning).slice(-MAX_EVENTS);
  const position = failure.position ?? resource.position;
  const parts = [
    withCode(failure.message, failure.code),
    detail === undefined ? "" : shorten(detail, MAX_DETAIL),
    cause === undefined
      ? ""
      : `${failure.code === "Cancelled" ? "the run had failed" : "first cause"}: ${cause}`,
    tail.length === 0 ? "" : ["last log lines:", ...tail.map((line) => `  ${line}`)].join("\n"),
    events.length === 0
      ? ""
      : [
          "events:",
          ...events.map((e) => `  ${e.object}: ${e.reason}: ${plainLine(e.message)}`),
        ].join("\n"),
    failure.hint === undefined ? "" : `try: ${failure.hint}`,
    position === null ? "" : `at ${placeOf(position)}`,
    `reproduce: ${reproduceCommand(result)}`,
  ];
  return plainText(parts.filter((part) => part !== "").join("\n"));
}

function causeOf(
  phase: PhaseResult,
  resource: ResourceResult,
  { firstCause }: RunResult,
): string | undefined {
  if (phase.role === "culprit") return undefined;
  const cause: FirstCause | undefined =
    firstCause.find(({ echoes }) => echoes.includes(resource.name)) ?? firstCause[0];
  return cause && causeLine(cause);
}

function systemOutOf(phase: PhaseResult): string | undefined {
  const { log } = phase;
  if (log === undefined) return undefined;
  const marker = `[[ATTACHMENT|${log.path}]]`;
  const text = plainText((log.tail ?? []).join("\n"));
  const room = MAX_SYSTEM_OUT - marker.length - 2;
  return `${text.length > room ? text.slice(-room) : text}\n${marker}\n`;
}
