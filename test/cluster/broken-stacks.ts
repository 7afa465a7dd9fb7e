import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseStringPromise } from "xml2js";
import type { RunEvent } from "../../src/model/event.ts";
import { isInfrastructure, type ReasonCode } from "../../src/model/reason.ts";
import type { FirstCause, RunResult } from "../../src/model/run-result.ts";
import { escapeMarkdown } from "../../src/report/escape.ts";
import { parseEvents } from "../../src/report/events.ts";
import { renderSummary } from "../../src/report/summary.ts";
import { caseName, causeLine, withCode } from "../../src/report/wording.ts";
import { type Outcome, tiltCi } from "./tilt-ci.ts";

/** What `expected.json` of a broken stack says: the known answer. */
export interface Expected {
  readonly exitCode: number;
  /** All of them, in any order. */
  readonly firstCause: readonly Pick<FirstCause, "resource" | "phase" | "code">[];
  /** More flags of `tilt-ci ci`. */
  readonly args?: readonly string[];
  /** Resource → what blocks it. */
  readonly blocked?: Readonly<Record<string, string>>;
  /** Resource → whose echo it is. */
  readonly echoes?: Readonly<Record<string, string>>;
  /** `none`: the stack starts no cluster. `own`: it needs one of its own. Else the shared one. */
  readonly cluster?: "none" | "own";
  /** A signal to the run, once it has printed `after`. */
  readonly signal?: { readonly after: string; readonly name: NodeJS.Signals };
  /** Environment variables of the run. */
  readonly env?: Readonly<Record<string, string>>;
}

const STACKS = resolve(import.meta.dirname, "../fixtures/broken");

/** Names of all broken stacks. */
export const brokenStacks = (): string[] =>
  readdirSync(STACKS).filter((name) => existsSync(join(STACKS, name, "expected.json")));

export function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(join(STACKS, name, "expected.json"), "utf8")) as Expected;
}

/** How long it took from the first evidence of a failure until it was known, and until the process had ended. */
export interface EvidenceTimes {
  readonly code: ReasonCode;
  /** Until the culprit's phase was told to have failed. */
  readonly knownMs: number;
  readonly exitMs: number;
}

export interface StackRun {
  /** A line each; none when all is as the stack's `expected.json` says and the reports agree. */
  readonly differences: readonly string[];
  readonly times: readonly EvidenceTimes[];
  readonly outcome: Outcome;
}

/** Runs a broken stack as a user would and compares. Its reports are removed unless something differs. */
export async function runBrokenStack(
  name: string,
  cluster: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<StackRun> {
  const expected = expectedOf(name);
  const where = expected.cluster === undefined ? cluster : [];
  const { signal } = expected;
  let sent = false;
  const outcome = await tiltCi("ci", [...where, ...(expected.args ?? [])], {
    cwd: join(STACKS, name),
    env: { ...env, ...expected.env },
    onOutput: (text, kill) => {
      if (signal === undefined || sent || !text.includes(signal.after)) return;
      sent = true;
      kill(signal.name);
    },
  });
  const endedAt = Date.now();
  const { report, reports } = outcome;
  if (report === undefined)
    return { differences: [`no report: ${outcome.stderr}`], times: [], outcome };
  const differences = [
    ...compare(expected, outcome, report),
    ...(await disagreements(outcome, report)),
  ];
  const events = parseEvents(readFileSync(join(reports, "events.ndjson"), "utf8"));
  const times = report.firstCause.map((cause) => timesOf(cause, events, endedAt));
  if (differences.length === 0) rmSync(reports, { recursive: true });
  return { differences, times, outcome };
}

function compare(expected: Expected, { code }: Outcome, report: RunResult): string[] {
  const causes = (list: Expected["firstCause"]) =>
    list.map(({ resource, phase, code: reason }) => `${resource}: ${phase}: ${reason}`).sort();
  const linked = (role: "blocked" | "echo") =>
    report.resources
      .filter((resource) => resource.role === role)
      .map(({ name, causedBy }) => `${name} by ${causedBy.map((link) => link.resource).join(",")}`);
  const wanted = (links: Readonly<Record<string, string>> = {}) =>
    Object.entries(links).map(([name, by]) => `${name} by ${by}`);
  return [
    ...unlike("exit code", [String(expected.exitCode)], [String(code)]),
    ...unlike("first cause", causes(expected.firstCause), causes(report.firstCause)),
    ...unlike("blocked", wanted(expected.blocked), linked("blocked")),
    ...unlike("echoes", wanted(expected.echoes), linked("echo")),
  ];
}

function unlike(what: string, wanted: readonly string[], got: readonly string[]): string[] {
  const [a, b] = [wanted, got].map((list) => list.toSorted().join("; "));
  return a === b ? [] : [`${what}: wanted ${a || "none"}, got ${b || "none"}`];
}

const VERDICTS: Readonly<Record<number, RunResult["verdict"]>> = {
  0: "passed",
  1: "failed",
  2: "error",
  3: "error",
};

/** Where console, JUnit, summary and report.json do not say the same. */
async function disagreements(outcome: Outcome, report: RunResult): Promise<string[]> {
  const { code, stderr, reports } = outcome;
  const said = (place: string, text: string, wanted: string) =>
    text.includes(wanted) ? [] : [`${place} does not say: ${wanted}`];
  const summary = renderSummary(report);
  const cases = await junitCases(join(reports, "junit.xml"));
  const [first] = report.firstCause;
  return [
    ...unlike("report.exitCode", [String(code)], [String(report.exitCode)]),
    ...unlike("verdict", [VERDICTS[code] ?? "cancelled"], [report.verdict]),
    ...(report.complete ? [] : ["the report is not complete"]),
    ...(first === undefined ? [] : said("console", stderr, `Error: ${causeLine(first)}`)),
    ...report.firstCause.flatMap((cause, index) => [
      ...(report.firstCause.length > 1
        ? said(
            "console",
            stderr,
            `Cause ${index + 1} of ${report.firstCause.length}: ${causeLine(cause)}`,
          )
        : []),
      ...said("summary", summary, `First cause: ${escapeMarkdown(causeLine(cause))}`),
      ...junitDisagreement(cause, cases),
    ]),
    ...unlike(
      "red cases of junit.xml",
      report.resources.flatMap(({ name, phases }) =>
        phases
          .filter(({ status }) => status === "failed" || status === "error")
          .map((phase) => caseName(name, phase)),
      ),
      cases
        .filter(({ type }) => type !== undefined && type !== "Cancelled")
        .map(({ name }) => name),
    ),
  ];
}

interface JunitCase {
  readonly suite: string;
  readonly name: string;
  readonly element: "failure" | "error" | "skipped" | undefined;
  readonly type: string | undefined;
  readonly message: string;
}

interface XmlElement {
  readonly $: Readonly<Record<string, string>>;
  readonly [child: string]: unknown;
}

async function junitCases(path: string): Promise<JunitCase[]> {
  const document = (await parseStringPromise(readFileSync(path, "utf8"))) as {
    testsuites: { testsuite: (XmlElement & { testcase: XmlElement[] })[] };
  };
  return document.testsuites.testsuite.flatMap(({ $: suite, testcase }) =>
    testcase.map((one) => {
      const element = (["failure", "error", "skipped"] as const).find((name) => one[name]);
      const [found] = (element ? one[element] : []) as XmlElement[];
      return {
        suite: suite.name!,
        name: one.$.name!,
        element,
        type: element === "skipped" ? undefined : found?.$?.type,
        message: found?.$?.message ?? "",
      };
    }),
  );
}

function junitDisagreement(cause: FirstCause, cases: readonly JunitCase[]): string[] {
  const phase = {
    name: cause.phase,
    ...(cause.subject === undefined ? {} : { subject: cause.subject }),
  };
  const name = caseName(cause.resource, phase);
  const found = cases.find((one) => one.suite === cause.resource && one.name === name);
  const element = isInfrastructure(cause.code) ? "error" : "failure";
  const problems = [
    found?.element === element ? undefined : `is no ${element}`,
    found?.type === cause.code ? undefined : `has type ${found?.type}`,
    found?.message === withCode(cause.message, cause.code) ? undefined : `says ${found?.message}`,
  ].filter((problem) => problem !== undefined);
  return problems.map((problem) => `junit.xml: ${name} ${problem}`);
}

/**
 * The first evidence is the earliest that anything outside tilt-ci tells of the culprit's failure: the time in an object's
 * conditions or events; for commands and builds, whose failing is their end, that end.
 */
function timesOf(cause: FirstCause, events: readonly RunEvent[], endedAt: number): EvidenceTimes {
  let first = Date.parse(cause.evidenceAt ?? "");
  let known = Number.NaN;
  for (const event of events) {
    if (!("resource" in event) || event.resource !== cause.resource) continue;
    if (event.type === "observed" && event.observation.failure !== undefined)
      first = Math.min(first, event.observation.failure.evidenceAt ?? event.at);
    if (event.type !== "phase-finished" || event.phase !== cause.phase) continue;
    if (event.status === "failed" || event.status === "error") known = event.at;
  }
  return { code: cause.code, knownMs: Math.max(0, known - first), exitMs: endedAt - first };
}
