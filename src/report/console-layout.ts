import { randomUUID } from "node:crypto";
import { type PhaseId, phaseKey } from "./log-path.ts";
import { subjectOf } from "./outcome.ts";
import { plainLine } from "./plain-text.ts";
import { phaseTitle } from "./wording.ts";

/** A line ready to be written. */
export type GroupedLine = string;

/** How a CI system folds output: lines of a phase are held until it ends and then printed as one group. */
export interface CiLayout {
  /** Takes lines of a phase; false: print them now. */
  hold(phase: PhaseId, lines: readonly string[], at: number): boolean;
  /** The group of a phase that has ended; undefined if it said nothing. */
  end(phase: PhaseId, title: string, at: number): GroupedLine[] | undefined;
  /** All groups still open, at the end of a run: of what went on after its phase had passed. */
  endAll(): GroupedLine[][];
  /** Lines outside groups, such that nothing in them is taken for a command. */
  fenced(lines: readonly string[]): string[];
}

interface Dialect {
  open(title: string, id: string, at: number): string;
  close(id: string, at: number): string | undefined;
  fence(lines: readonly string[], token: () => string): string[];
}

/** A group keeps this many lines; the log file has them all. */
const MAX_LINES = 500;

const DIALECTS: Readonly<Record<string, Dialect>> = {
  github: {
    open: (title) => `::group::${title}`,
    close: () => "::endgroup::",
    fence: stopCommands,
  },
  azure: {
    open: (title) => `##[group]${title}`,
    close: () => "##[endgroup]",
    // Azure has no way to stop commands: break their marks.
    fence: (lines) =>
      lines.map((line) => line.replaceAll("##[", "#\u200b#[").replaceAll("##vso[", "#\u200b#vso[")),
  },
  gitlab: {
    open: (title, id, at) =>
      `\x1b[0Ksection_start:${Math.floor(at / 1000)}:${id}[collapsed=true]\r\x1b[0K${title}`,
    close: (id, at) => `\x1b[0Ksection_end:${Math.floor(at / 1000)}:${id}\r\x1b[0K`,
    // Sections need control characters, which foreign text has lost before.
    fence: (lines) => [...lines],
  },
  buildkite: {
    open: (title) => `--- ${title}`,
    close: () => undefined,
    fence: (lines) =>
      lines.map((line) => (/^(---|\+\+\+|~~~|\^\^\^) /.test(line) ? ` ${line}` : line)),
  },
};

interface Group {
  readonly id: PhaseId;
  readonly number: number;
  /** Epoch ms of its first line, and of its last one. */
  readonly startedAt: number;
  at: number;
  lines: string[];
  /** Lines that were left out. */
  left: number;
}

/** The layout for a CI system; undefined for those that fold nothing. */
export function createLayout(
  ci: string | undefined,
  token: () => string = () => randomUUID(),
): CiLayout | undefined {
  const dialect = ci === undefined ? undefined : DIALECTS[ci];
  if (dialect === undefined) return undefined;
  const groups = new Map<string, Group>();
  let number = 0;
  const fenced = (lines: readonly string[]) => dialect.fence(lines, token);
  const render = (key: string, title: string, endedAt?: number): GroupedLine[] | undefined => {
    const group = groups.get(key);
    if (group === undefined) return undefined;
    groups.delete(key);
    const { id, lines, left, startedAt, at } = group;
    const name = phaseTitle(id.resource, { name: id.phase, ...subjectOf(id) });
    const section = `phase_${group.number}`;
    const close = dialect.close(section, endedAt ?? at);
    return [
      dialect.open(plainLine(`${name} ${title}`).trim(), section, startedAt),
      ...(left > 0 ? [`… ${left} earlier lines are in the log file`] : []),
      ...fenced(lines),
      ...(close === undefined ? [] : [close]),
    ];
  };
  return {
    hold(phase, lines, at) {
      const key = phaseKey(phase);
      const group = groups.get(key) ?? newGroup(phase, ++number, at);
      group.at = at;
      groups.set(key, group);
      group.lines.push(...lines);
      if (group.lines.length > MAX_LINES * 2) {
        group.left += group.lines.length - MAX_LINES;
        group.lines = group.lines.slice(-MAX_LINES);
      }
      return true;
    },
    end: (phase, title, at) => render(phaseKey(phase), title, at),
    endAll: () => [...groups.keys()].flatMap((key) => [render(key, "until the end") ?? []]),
    fenced,
  };
}

function newGroup(id: PhaseId, number: number, at: number): Group {
  return { id, number, startedAt: at, at, lines: [], left: 0 };
}

/** GitHub's runner takes `::…` at a line's start and `##[…]` anywhere for commands, until the word is said again. */
function stopCommands(lines: readonly string[], token: () => string): string[] {
  if (!lines.some((line) => line.includes("::") || line.includes("##["))) return [...lines];
  const word = token();
  return [`::stop-commands::${word}`, ...lines, `::${word}::`];
}
