import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { parseStringPromise } from "xml2js";
import type { RunEvent } from "../../src/model/event.ts";
import { EXIT } from "../../src/model/result.ts";
import { BUG } from "./crash-on-signal.ts";
import type { Step } from "./step.ts";

/** How a broken run came to its end. */
export interface Ended {
  /** Undefined when a signal ended the process. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** It did not end by itself. */
  readonly timedOut: boolean;
  /** When the damage was done, epoch ms; undefined when the run was over before. */
  readonly brokenAt: number | undefined;
  readonly output: string;
  readonly events: readonly RunEvent[];
  /** The report directory. */
  readonly reports: string;
  /** What could be reached from other machines at the step's moment. */
  readonly exposed: readonly string[];
  /** What `tilt-ci down` said, where the process was killed. */
  readonly down: { readonly code: number | null; readonly output: string } | undefined;
}

/** A verdict that was on its way when the signal came may still be told. */
const CROSSING_MS = 500;
const CODES: Readonly<Record<string, number>> = {
  SIGINT: EXIT.sigint,
  "SIGINT twice": EXIT.sigint,
  SIGTERM: EXIT.sigterm,
  SIGHUP: EXIT.sighup,
};

const schema = JSON.parse(
  readFileSync(new URL("../../docs/report.schema.json", import.meta.url), "utf8"),
) as object;
const matchesSchema = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  schema,
);

/** What is wrong with the exit code and the reports. */
export async function problemsOf(step: Step, ended: Ended): Promise<readonly string[]> {
  return [
    ...exitProblems(step, ended),
    ...ended.exposed.map((what) => `exposed: ${what}`),
    ...(await reportProblems(step, ended)),
  ];
}

/** The right exit code: that of the signal, unless the verdict stood before it came; 0 for what only output suffers from. */
function exitProblems({ ending }: Step, ended: Ended): readonly string[] {
  const { code, signal, brokenAt, timedOut, down, output } = ended;
  if (timedOut) return ["it did not end"];
  if (down && down.code !== 0) return [`tilt-ci down ended with ${down.code}: ${down.output}`];
  const verdict = verdictOf(ended);
  const wanted = CODES[ending];
  if (brokenAt === undefined || ending === "epipe" || ending === "none")
    return code === EXIT.passed ? [] : [`exit ${code ?? signal} instead of 0`];
  if (ending === "SIGKILL") return [];
  if (ending === "disk") {
    const told = /Cannot write/.test(output);
    if (code === EXIT.passed && !told) return [];
    return code === EXIT.environment && told ? [] : [`exit ${code ?? signal}, told: ${told}`];
  }
  if (ending === "crash") return crashProblems(ended);
  if (verdict?.verdict === "passed" && verdict.at - brokenAt <= CROSSING_MS)
    return code === EXIT.passed ? [] : [`exit ${code ?? signal} after a passed verdict`];
  // Before the program listens for signals it has made nothing, and ends as any process does.
  if (code === undefined && ended.events.length === 0) return [];
  return code === wanted ? [] : [`exit ${code ?? signal} instead of ${wanted}`];
}

/** Exit 3 with a word about it, however far the run had come; unless it was over, or the bug not yet planted. */
function crashProblems({ code, signal, output, events }: Ended): readonly string[] {
  if (code === undefined && events.length === 0) return [];
  if (code === EXIT.passed && isFinished(events)) return [];
  if (code !== EXIT.environment) return [`exit ${code ?? signal} instead of ${EXIT.environment}`];
  return output.includes(`has a bug: ${BUG}`) ? [] : ["the bug is not told"];
}

const isFinished = (events: readonly RunEvent[]) =>
  events.some(({ type }) => type === "run-finished");

function verdictOf({ events }: Ended) {
  const event = events.find(({ type }) => type === "verdict");
  return event?.type === "verdict" ? event : undefined;
}

/** Whatever report is there must be whole; and one must be there once a run was announced, unless there was no room. */
async function reportProblems({ ending }: Step, ended: Ended): Promise<readonly string[]> {
  const { reports, events, code, down } = ended;
  const names = readdirSync(reports);
  const problems: string[] = [];
  const temporary = names.filter((name) => name.endsWith(".tmp"));
  if (temporary.length > 0) problems.push(`left in the report directory: ${temporary.join(", ")}`);
  const wasAnnounced = events.some(({ type }) => type !== "run-started");
  const isExpected = wasAnnounced && ending !== "disk";
  for (const name of ["report.json", "junit.xml", "report.html"])
    if (isExpected && !names.includes(name)) problems.push(`there is no ${name}`);
  if (names.includes("junit.xml"))
    problems.push(...(await junitProblems(join(reports, "junit.xml"))));
  if (!names.includes("report.json")) return problems;
  const report = JSON.parse(readFileSync(join(reports, "report.json"), "utf8"));
  if (!matchesSchema(report))
    problems.push(`report.json: ${JSON.stringify(matchesSchema.errors?.slice(0, 3))}`);
  if (ending === "disk" || down) {
    if (report.verdict === "passed" && !verdictOf(ended))
      problems.push("a report that is too green");
    return problems;
  }
  // A bug that shows after the last report changes the exit code alone.
  const late = ending === "crash" && isFinished(events);
  if (report.exitCode !== code && !late) problems.push(`report.json says exit ${report.exitCode}`);
  if (report.complete !== true) problems.push("report.json is not complete");
  return problems;
}

async function junitProblems(path: string): Promise<readonly string[]> {
  try {
    const document = await parseStringPromise(readFileSync(path, "utf8"), { strict: true });
    return document.testsuites ? [] : ["junit.xml has no testsuites"];
  } catch (error) {
    return [`junit.xml: ${(error as Error).message}`];
  }
}
