import { relative } from "node:path";
import type { RunInfo } from "../model/event.ts";
import type { Position } from "../model/position.ts";
import type { Failure } from "../model/result.ts";
import type { ReportedFailure, ReportedPosition, Timestamp } from "../model/run-result.ts";

/** Turns absolute paths into those of reports: relative to the repository with `/`, else absolute. */
export type Locate = (position: Position) => ReportedPosition;

/** `Locate` for one run: relative to the git work tree, without one to the Tiltfile's directory. */
export function locator(run: RunInfo | undefined): Locate {
  return ({ file, line, column }) => ({ file: relativePath(run, file), line, column });
}

/** A path as reports show it. */
export function relativePath(run: RunInfo | undefined, file: string): string {
  const root = run?.repository ?? run?.directory;
  if (root === undefined) return file.replaceAll("\\", "/");
  const inside = relative(root, file).replaceAll("\\", "/");
  const outside = inside === "" || inside === ".." || inside.startsWith("../");
  return outside || /^[A-Za-z]:/.test(inside) ? file.replaceAll("\\", "/") : inside;
}

/** Epoch ms → RFC 3339. Clocks that are out of any range give the epoch: a report is never lost to a bad time. */
export function timestamp(epochMs: number): Timestamp {
  return new Date(Number.isFinite(epochMs) && Math.abs(epochMs) < 8e15 ? epochMs : 0).toISOString();
}

/** The same for a time that may be unknown. */
export function timestampOrNull(epochMs: number | undefined): Timestamp | null {
  return epochMs === undefined ? null : timestamp(epochMs);
}

/** A failure as reports carry it. */
export function reportedFailure(failure: Failure, locate: Locate): ReportedFailure {
  const { code, message, detail, object, position, evidenceAt, hint } = failure;
  return {
    code,
    message,
    ...(detail !== undefined && { detail }),
    ...(object !== undefined && { object }),
    position: position === undefined ? null : locate(position),
    evidenceAt: timestampOrNull(evidenceAt),
    ...(hint !== undefined && { hint }),
  };
}
