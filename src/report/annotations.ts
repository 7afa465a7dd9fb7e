import type { FirstCause, RunResult } from "../model/run-result.ts";
import { escapeWorkflowData, escapeWorkflowProperty } from "./escape.ts";
import { plainLine, shorten } from "./plain-text.ts";
import { detailBeyond, failedPhase, lastLines, otherFailures } from "./story.ts";
import { causeLine, listNames, phaseTitle, withCode } from "./wording.ts";

/** A note on a line of the Tiltfile. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
  /** Relative to the repository. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** GitHub shows ten errors and ten warnings of a step and drops the rest. */
const MAX_PER_LEVEL = 10;
const MAX_MESSAGE = 4000;
const MAX_TITLE = 200;

/** The ten most telling errors (first causes, then their echoes) and warnings (flaky phases, the Tiltfile's), best first. */
export function annotationsOf(result: RunResult): Annotation[] {
  const errors = [
    ...result.firstCause.map((cause) => causeAnnotation(cause, result)),
    ...otherFailures(result).map((resource): Annotation => {
      const phase = failedPhase(resource);
      const because = resource.causedBy.map(({ resource: name, phase: of }) => `${name}: ${of}`);
      const failure = phase?.failure;
      return {
        level: "error",
        title: phase === undefined ? resource.name : phaseTitle(resource.name, phase),
        message: [
          failure === undefined ? "failed" : withCode(failure.message, failure.code),
          ...(because.length > 0 ? [`because of ${listNames(because)}`] : []),
        ].join("\n"),
        ...placeIn(result, failure?.position ?? resource.position),
      };
    }),
  ];
  const warnings = [
    ...result.resources.flatMap((resource) =>
      resource.phases.flatMap((phase): Annotation[] =>
        phase.flaky
          ? [
              {
                level: "warning",
                title: `${phaseTitle(resource.name, phase)} was flaky`,
                message: `passed at attempt ${phase.attempts.length}: ${phase.attempts[0]?.failure?.message ?? "unknown reason"}`,
                ...placeIn(result, resource.position),
              },
            ]
          : [],
      ),
    ),
    ...result.warnings.map(
      ({ message, resource, position }): Annotation => ({
        level: "warning",
        title: resource ?? "Tiltfile",
        message,
        ...placeIn(result, position),
      }),
    ),
  ];
  return [...errors.slice(0, MAX_PER_LEVEL), ...warnings.slice(0, MAX_PER_LEVEL)];
}

function causeAnnotation(cause: FirstCause, result: RunResult): Annotation {
  const tail = lastLines(cause, result, 10);
  const detail = detailBeyond(cause.detail, tail);
  return {
    level: "error",
    title: `First cause: ${causeLine(cause)}`,
    message: [
      withCode(cause.message, cause.code),
      ...(detail === undefined ? [] : [detail]),
      ...(cause.hint === undefined ? [] : [`try: ${cause.hint}`]),
      ...(tail.length === 0 ? [] : ["last log lines:", ...tail]),
      ...(cause.echoes.length === 0 ? [] : [`failed because of it: ${listNames(cause.echoes)}`]),
      ...(cause.blocked.length === 0 ? [] : [`never started: ${listNames(cause.blocked)}`]),
    ].join("\n"),
    ...placeIn(result, cause.position),
  };
}

/** Files outside the repository (extensions) cannot carry annotations: those go to the Tiltfile. */
function placeIn(
  result: RunResult,
  position: FirstCause["position"],
): Pick<Annotation, "file" | "line" | "column"> {
  if (position === null) return { file: result.run.tiltfile };
  if (/^(\/|[A-Za-z]:)/.test(position.file)) return { file: result.run.tiltfile };
  return { file: position.file, line: position.line, column: position.column };
}

/** An annotation as a GitHub workflow command: one line that nothing in it can end. */
export function workflowCommand(annotation: Annotation): string {
  const { level, title, message, file, line, column } = annotation;
  const properties: [string, string | number | undefined][] = [
    ["file", file],
    ["line", line],
    ["col", column],
    ["title", shorten(plainLine(title), MAX_TITLE)],
  ];
  const list = properties
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeWorkflowProperty(String(value))}`);
  return `::${level} ${list.join(",")}::${escapeWorkflowData(shorten(message, MAX_MESSAGE))}`;
}
