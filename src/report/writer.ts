import { dirname, join, relative } from "node:path";
import { messageOf } from "../errors.ts";
import type { Clock } from "../host/host.ts";
import type { LogLine, RunEvent } from "../model/event.ts";
import { EXIT } from "../model/result.ts";
import type { RunResult } from "../model/run-result.ts";
import { listArtifacts } from "./artifacts.ts";
import { writeAtomically } from "./atomic.ts";
import { renderCtrf } from "./ctrf.ts";
import { EventStream } from "./event-stream.ts";
import { formatEvent } from "./events.ts";
import { hashFiles } from "./hash-files.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { type JunitOptions, renderJunit } from "./junit.ts";
import { appliedPath } from "./log-path.ts";
import { createLogStore, type LogStore } from "./log-store.ts";
import { pageSources } from "./page-sources.ts";
import { createReducer, type Reducer } from "./reduce.ts";
import { makeOwnFolder, prepareDirectory } from "./report-directory.ts";
import type { Scrubber } from "./scrub.ts";
import { scrubFile } from "./scrub-file.ts";

export interface ReportOptions {
  /** `--report-dir`, absolute. */
  readonly directory: string;
  /** `--junit`, `--json`, `--ctrf`, absolute. */
  readonly junit?: string;
  readonly json?: string;
  readonly ctrf?: string;
  /** `--events`: an absolute path, or a function that takes lines, without their ends (standard output). */
  readonly events?: string | ((line: string) => void);
  /** Whether the user asked for the directory: then a report that cannot be written is an error. */
  readonly directoryAsked: boolean;
  readonly junitOptions?: JunitOptions;
}

/** A file that could not be written. Never changes a red verdict. */
export interface WriteProblem {
  readonly path: string;
  /** The file system's words: `ENOSPC: no space left on device, write`. */
  readonly message: string;
  /** The user named this file or its directory on the command line. */
  readonly asked: boolean;
}

/** Takes the run's events and output, and keeps the files of the report directory valid all the while. */
export interface ReportWriter {
  /** Events are scrubbed here. Never throws. */
  event(event: RunEvent): void;
  /** Takes a line of output, scrubs it, and returns it as stored. Never throws. */
  log(line: LogLine): LogLine;
  /** Keeps the objects applied for a resource, YAML with Secrets masked already. */
  applied(resource: string, yaml: string): void;
  /**
   * Writes anew what was written before all secrets were known; nothing when none has been added since. `events` are all
   * so far, as they were given to `event()`.
   */
  rescrub(events: readonly RunEvent[]): void;
  /** The result so far. */
  result(): RunResult;
  /** Where the diagnostics bundle belongs. */
  readonly bundleDirectory: string;
  /** Writes everything now, whatever was written before: after a verdict, at a signal. */
  flush(): void;
  /** The last writing: call it once, after `run-finished` and the bundle. */
  finish(): readonly WriteProblem[];
  problems(): readonly WriteProblem[];
}

/** Reports are written again at most this often while a run goes on. */
const MIN_INTERVAL_MS = 1000;
/** …and so seldom that writing takes at most this share of the time. */
const MAX_SHARE = 0.03;
/** The page is the dearest: it waits at least this long. */
const MIN_HTML_INTERVAL_MS = 10_000;

/** Opens the report directory: what an earlier run of ours left there goes. Never throws: see `problems()`. */
export function createReportWriter(
  options: ReportOptions,
  scrubber: Scrubber,
  clock: Pick<Clock, "now" | "monotonic">,
): ReportWriter {
  return new Writer(options, scrubber, clock);
}

/** The exit code after reports were written: a passed run whose asked-for report is missing is a broken environment. */
export function exitCodeAfterReports(exitCode: number, problems: readonly WriteProblem[]): number {
  return exitCode === EXIT.passed && problems.some(({ asked }) => asked)
    ? EXIT.environment
    : exitCode;
}

class Writer implements ReportWriter {
  readonly bundleDirectory: string;
  readonly #options: ReportOptions;
  readonly #scrubber: Scrubber;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #logs: LogStore;
  #reducer: Reducer;
  /** What was written is clean of so many texts. */
  #scrubbedFor: number;
  readonly #problems = new Map<string, WriteProblem>();
  readonly #applied = new Map<string, string>();
  readonly #streams: EventStream[] = [];
  /** Path → SHA-256, once the logs are complete. */
  #finalLogs: ReadonlyMap<string, string> = new Map();
  #nextWrite = 0;
  #nextHtml = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReportOptions, scrubber: Scrubber, clock: Pick<Clock, "now" | "monotonic">) {
    this.#options = options;
    this.#scrubber = scrubber;
    this.#clock = clock;
    this.bundleDirectory = join(options.directory, "bundle");
    this.#try(options.directory, () => prepareDirectory(options.directory));
    this.#logs = createLogStore(options.directory);
    this.#reducer = createReducer({ logs: this.#logs });
    this.#scrubbedFor = scrubber.count();
    this.#openStream(join(options.directory, "events.ndjson"));
    if (typeof options.events === "string") this.#openStream(options.events);
  }

  event(raw: RunEvent): void {
    const event = this.#scrubber.data(raw);
    this.#reducer.add(event);
    this.#tell(event);
    const due = event.type === "run-started" || event.type === "verdict";
    if (due) this.#write(true);
    else if (event.type === "phase-finished" || event.type === "planned") this.#schedule();
  }

  log(line: LogLine): LogLine {
    const text = this.#scrubber.text(line.text);
    const scrubbed = text === line.text ? line : { ...line, text };
    this.#logs.write(scrubbed);
    return scrubbed;
  }

  applied(resource: string, yaml: string): void {
    const path = join(this.#options.directory, appliedPath(resource));
    const text = this.#scrubber.text(yaml);
    this.#applied.set(resource, text);
    this.#try(path, () => {
      makeOwnFolder(dirname(path));
      writeAtomically(path, text);
    });
  }

  rescrub(events: readonly RunEvent[]): void {
    const count = this.#scrubber.count();
    if (count === this.#scrubbedFor) return;
    this.#scrubbedFor = count;
    this.#logs.rewrite((path) => scrubFile(path, this.#scrubber));
    for (const [resource, yaml] of this.#applied) this.applied(resource, yaml);
    this.#reducer = createReducer({ logs: this.#logs });
    let text = "";
    for (const raw of events) {
      const event = this.#scrubber.data(raw);
      this.#reducer.add(event);
      text += formatEvent(event, this.#reducer);
    }
    for (const stream of this.#streams) this.#try(stream.path, () => stream.replace(text));
    this.#write(true);
  }

  result(): RunResult {
    const { directory, junit, json, ctrf } = this.#options;
    const artifacts = listArtifacts({
      ...{ directory, junit, json, ctrf, bundle: this.bundleDirectory },
      ...{ logs: this.#logs.entries(), hashes: this.#finalLogs, applied: this.#applied },
    });
    return this.#reducer.result({ artifacts });
  }

  flush(): void {
    this.#write(true);
  }

  finish(): readonly WriteProblem[] {
    this.#logs.close();
    this.#finalLogs = hashFiles(this.#options.directory, this.#logs.entries());
    this.#write(true);
    for (const stream of this.#streams) stream.close();
    return this.problems();
  }

  problems(): readonly WriteProblem[] {
    const logs = this.#logs.problems().map(({ path, message }) => ({
      path: join(this.#options.directory, path),
      message,
      asked: this.#options.directoryAsked,
    }));
    return [...this.#problems.values(), ...logs];
  }

  /** Writes soon: at once if the last time is long ago, else when its time has come. */
  #schedule(): void {
    const wait = this.#nextWrite - this.#clock.monotonic();
    if (wait <= 0) {
      this.#write(false);
      return;
    }
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#write(false);
    }, wait);
    this.#timer.unref();
  }

  #write(now: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const start = this.#clock.monotonic();
    const { directory, junit, json, ctrf, junitOptions } = this.#options;
    this.#logs.flush();
    const result = this.result();
    const texts = new Map<string, () => string>();
    texts.set(join(directory, "report.json"), () => renderJson(result));
    texts.set(join(directory, "junit.xml"), () => renderJunit(result, junitOptions));
    if (json !== undefined) texts.set(json, () => renderJson(result));
    if (junit !== undefined) texts.set(junit, () => renderJunit(result, junitOptions));
    if (ctrf !== undefined) texts.set(ctrf, () => renderCtrf(result));
    for (const [path, render] of texts) this.#try(path, () => writeAtomically(path, render()));
    const end = this.#clock.monotonic();
    this.#nextWrite = end + Math.max(MIN_INTERVAL_MS, (end - start) / MAX_SHARE);
    if (now || end >= this.#nextHtml) this.#writeHtml(result);
  }

  #writeHtml(result: RunResult): void {
    const start = this.#clock.monotonic();
    const path = join(this.#options.directory, "report.html");
    const sources = pageSources(this.#options.directory, this.#applied);
    this.#try(path, () => writeAtomically(path, renderHtml(result, sources)));
    const end = this.#clock.monotonic();
    this.#nextHtml = end + Math.max(MIN_HTML_INTERVAL_MS, (end - start) / MAX_SHARE);
  }

  #tell(event: RunEvent): void {
    const { events } = this.#options;
    if (this.#streams.length === 0 && typeof events !== "function") return;
    const line = formatEvent(event, this.#reducer);
    for (const stream of this.#streams)
      if (!stream.broken) this.#try(stream.path, () => stream.write(line));
    if (typeof events === "function") events(line.trimEnd());
  }

  #openStream(path: string): void {
    const known = this.#streams.some((stream) => stream.path === path);
    if (known) return;
    this.#try(path, () => this.#streams.push(new EventStream(path)));
  }

  /** Does what may fail on a full or read-only disk; the first failure of a path is told, a later success takes it back. */
  #try(path: string, action: () => void): void {
    try {
      action();
      this.#problems.delete(path);
    } catch (error) {
      const inside = !relative(this.#options.directory, path).startsWith("..");
      const asked = inside ? this.#options.directoryAsked || this.#isNamed(path) : true;
      this.#problems.set(path, {
        path,
        message: messageOf(error),
        asked,
      });
    }
  }

  #isNamed(path: string): boolean {
    const { junit, json, ctrf, events } = this.#options;
    return path === junit || path === json || path === ctrf || path === events;
  }
}
