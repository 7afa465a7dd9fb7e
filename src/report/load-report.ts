import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UsageError } from "../errors.ts";
import type { RunResult } from "../model/run-result.ts";
import type { BundleIndex } from "./bundle.ts";
import { parseReport } from "./json.ts";

/** A report from disk. */
export interface LoadedReport {
  readonly result: RunResult;
  /** The directory that paths in the report are relative to. */
  readonly directory: string;
  readonly bundle?: BundleIndex;
}

const WHERE_REPORTS_ARE =
  "Give the report directory of a run (--report-dir) or a file written by --json";

/** Reads a report directory, its `bundle/`, or a `report.json` of any name. Throws `UsageError` when there is none. */
export function loadReport(path: string): LoadedReport {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new UsageError(`Cannot read ${path}: no such file or directory`, WHERE_REPORTS_ARE);
  const file = stat.isDirectory() ? findReport(path) : path;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${messageOf(error)}`);
  }
  const directory = join(file, "..");
  const bundle = readBundle(directory);
  return { result: parseReport(text, file), directory, ...(bundle && { bundle }) };
}

function findReport(directory: string): string {
  for (const candidate of [join(directory, "report.json"), join(directory, "..", "report.json")])
    if (existsSync(candidate)) return candidate;
  throw new UsageError(`${directory} holds no report.json`, WHERE_REPORTS_ARE);
}

function readBundle(directory: string): BundleIndex | undefined {
  const path = join(directory, "bundle", "index.json");
  if (!existsSync(path)) return undefined;
  try {
    const index = JSON.parse(readFileSync(path, "utf8")) as Partial<BundleIndex>;
    return Array.isArray(index.collectors) ? (index as BundleIndex) : undefined;
  } catch {
    return undefined; // cut off by a kill: the report tells the story without it
  }
}
