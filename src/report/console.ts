import type { LogLine, RunEvent } from "../model/event.ts";
import type { RunResult } from "../model/run-result.ts";
import { Footer } from "./console-footer.ts";
import { type CiLayout, createLayout, type GroupedLine } from "./console-layout.ts";
import { type Narration, type NarratorState, narrate, newNarrator } from "./console-narrator.ts";
import { RecentLines } from "./console-recent.ts";
import { type ConsoleStream, Sink } from "./console-sink.ts";
import { finalMessage } from "./final-message.ts";
import { type PhaseId, phaseIdOf } from "./log-path.ts";
import { terminalText } from "./plain-text.ts";
import { createReducer, type Reducer } from "./reduce.ts";
import { formatDuration } from "./wording.ts";

/*
 * The console: Tilt's line shape on standard output, the end of a run that did not pass on standard error. On a terminal
 * a live footer below; in CI systems that fold output, one group a phase, printed when the phase has ended.
 */

export interface ConsoleOptions {
  readonly stdout: ConsoleStream;
  readonly stderr: ConsoleStream;
  /** A terminal that a footer may be drawn on. */
  readonly isTty: boolean;
  readonly color: boolean;
  /** Only phases and failures. */
  readonly quiet?: boolean;
  /** Only lines of exactly this level (`info`: all lines), as `tilt ci --log-level`. */
  readonly logLevel?: "info" | "warn" | "error" | undefined;
  readonly logSource?: "all" | "build" | "runtime";
  /** Only lines of these resources; with exactly one, lines have no prefix. */
  readonly logResources?: readonly string[];
  /** The CI system: `github`, `gitlab`, `buildkite` and `azure` get groups. */
  readonly ci?: string | undefined;
  /** Where the reports are, for the last lines. */
  readonly reportDirectory?: string;
  /** Epoch ms; for tests. */
  readonly now?: () => number;
  /** A word that nothing else can know, to fence foreign output off from workflow commands; for tests. */
  readonly fence?: () => string;
}

/** A reader of events and lines, both scrubbed already. Never throws; a closed pipe (EPIPE) silences it. */
export interface Console {
  event(event: RunEvent): void;
  line(line: LogLine): void;
  /** The result with whole logs behind it, for the last lines: otherwise they are made from what passed through here. */
  report(result: RunResult): void;
  /** Removes the footer and waits until everything is written. */
  close(): Promise<void>;
}

const FRAME_MS = 100;
/** Without a terminal, a run that says nothing for this long says what it waits for. */
const SILENCE_MS = 30_000;

/** A console on two streams. It holds a timer of its own (that keeps no process alive) until `close()`. */
export function createConsole(options: ConsoleOptions): Console {
  return new RunConsole(options);
}

class RunConsole implements Console {
  readonly #options: ConsoleOptions;
  readonly #sink: Sink;
  readonly #footer: Footer | undefined;
  readonly #layout: CiLayout | undefined;
  readonly #narrator: NarratorState;
  readonly #recent = new RecentLines();
  readonly #reducer: Reducer = createReducer({ logs: this.#recent });
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #result: RunResult | undefined;
  #spokeAt: number;

  constructor(options: ConsoleOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#spokeAt = this.#now();
    this.#footer = options.isTty ? new Footer(this.#reducer, this.#now) : undefined;
    this.#sink = new Sink(options.stdout, options.stderr, this.#footer);
    this.#layout = createLayout(options.ci, options.fence);
    this.#narrator = newNarrator(this.#layout || options.quiet ? "phase" : "update");
    this.#timer = setInterval(() => this.#tick(), FRAME_MS);
    this.#timer.unref();
  }

  event(event: RunEvent): void {
    this.#reducer.add(event);
    const hasOutput = (id: PhaseId) => this.#recent.describe(id) !== undefined;
    // The title of a group says what the narrator would.
    const grouped = event.type === "phase-finished" && this.#endGroup(event);
    for (const said of narrate(event, this.#narrator, hasOutput))
      if (!(grouped && said.isEnd)) this.#say(said);
    if (event.type === "phase-finished") this.#recent.settle(phaseIdOf(event), event.status);
    if (event.type === "run-finished") this.#conclude();
  }

  line(line: LogLine): void {
    this.#recent.add(line);
    if (this.#options.quiet || !this.#wants(line)) return;
    const marks = { info: "", warn: "WARNING: ", error: "ERROR: " };
    const indent = line.phase === "build" || line.phase === "push" ? "     " : "";
    const text = `${marks[line.level]}${indent}${line.text}`;
    this.#print(phaseIdOf(line), text, line.at);
  }

  report(result: RunResult): void {
    this.#result = result;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#layout) for (const group of this.#layout.endAll()) this.#writeGroup(group);
    await this.#sink.close();
  }

  #wants({ level, source, resource }: LogLine): boolean {
    const { logLevel = "info", logSource = "all", logResources = [] } = this.#options;
    if (logLevel !== "info" && level !== logLevel) return false;
    if (logSource !== "all" && source !== logSource) return false;
    return logResources.length === 0 || logResources.includes(resource);
  }

  #say(said: Narration): void {
    const { quiet, logLevel = "info", logResources = [], logSource = "all" } = this.#options;
    const level = said.level ?? "info";
    const selected =
      said.resource === undefined ||
      logResources.length === 0 ||
      logResources.includes(said.resource);
    if (quiet && !said.quiet) return;
    if (!said.always) {
      if (!selected || (logLevel !== "info" && level !== logLevel)) return;
      if (logSource !== "all" && said.source !== undefined && said.source !== logSource) return;
    }
    this.#print(said.phase, said.text, this.#now(), said.resource);
  }

  /** Prints text of a phase (in its group, where there are groups) or of the run, every line with its prefix. */
  #print(phase: PhaseId | undefined, text: string, at: number, resource?: string): void {
    const name = phase?.resource ?? resource;
    const clean = terminalText(text, this.#options.color);
    const lines = clean.split("\n").map((line) => this.#prefix(name) + line);
    this.#spokeAt = this.#now();
    if (phase !== undefined && this.#layout?.hold(phase, lines, at)) return;
    this.#sink.write(this.#layout ? this.#layout.fenced(lines) : lines);
  }

  #prefix(name: string | undefined): string {
    if (name === undefined || name === "(Tiltfile)") return "";
    if (this.#options.logResources?.length === 1) return "";
    const plain = terminalText(name, false).replaceAll("\n", " ");
    return `${linePrefix(plain)}`;
  }

  /** Prints the group of a phase that has ended; false if it said nothing. */
  #endGroup(event: Extract<RunEvent, { type: "phase-finished" }>): boolean {
    const id = phaseIdOf(event);
    const title = `${event.status} after ${this.#took(id)}`;
    const group = this.#layout?.end(id, title, event.at);
    if (group !== undefined) this.#writeGroup(group);
    return group !== undefined;
  }

  #writeGroup(group: GroupedLine[]): void {
    this.#sink.write(group);
  }

  #took({ resource, phase, subject }: PhaseId): string {
    const known = this.#reducer.state.resources.get(resource)?.phases;
    const state = [...(known?.values() ?? [])].find(
      ({ id }) => id.phase === phase && id.subject === subject,
    );
    return formatDuration((state?.finishedAt ?? 0) - (state?.startedAt ?? state?.finishedAt ?? 0));
  }

  #conclude(): void {
    if (this.#layout) for (const group of this.#layout.endAll()) this.#writeGroup(group);
    this.#footer?.finish();
    const result = this.#result ?? this.#reducer.result();
    const { reportDirectory } = this.#options;
    const text = finalMessage(result, {
      ...(reportDirectory !== undefined && { reportDirectory }),
    });
    const lines = text.trimEnd().split("\n");
    if (result.verdict === "passed") {
      const [success = "", ...rest] = lines;
      this.#sink.write([this.#options.color ? `\x1b[32m${success}\x1b[0m` : success, ...rest]);
      return;
    }
    this.#sink.write(this.#layout ? this.#layout.fenced(lines) : lines, "stderr");
  }

  #tick(): void {
    if (this.#footer !== undefined) {
      this.#sink.refresh();
      return;
    }
    const { verdict } = this.#reducer.state;
    if (verdict !== undefined || this.#now() - this.#spokeAt < SILENCE_MS) return;
    this.#spokeAt = this.#now();
    const waiting = new Footer(this.#reducer, this.#now).describe(8, 160);
    if (waiting.length > 0) this.#sink.write(waiting.map((line) => `waiting: ${line}`));
  }
}

/** Tilt's prefix: the name right-aligned in 13 characters, longer ones cut to 12 and `…`, then ` │ `. */
export function linePrefix(name: string): string {
  const characters = [...name];
  const shown = characters.length > 13 ? `${characters.slice(0, 12).join("")}…` : name;
  return `${" ".repeat(Math.max(0, 13 - [...shown].length))}${shown} │ `;
}
