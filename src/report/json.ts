import { UsageError } from "../errors.ts";
import type { RunResult } from "../model/run-result.ts";

/** `report.json`: the result itself, indented, with a line end. */
export function renderJson(result: RunResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** Reads what `renderJson()` wrote, by this or any other 1.x version. Throws `UsageError` naming `source` for anything else. */
export function parseReport(text: string, source: string): RunResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${source} is not JSON: ${(error as Error).message}`);
  }
  const report = value as Partial<RunResult> | null;
  if (report === null || typeof report !== "object" || typeof report.schemaVersion !== "string")
    throw new UsageError(`${source} is not a report of tilt-ci: it has no schemaVersion`);
  if (!report.schemaVersion.startsWith("1."))
    throw new UsageError(
      `${source} has schema version ${report.schemaVersion}; this version of tilt-ci reads 1.x`,
    );
  if (!Array.isArray(report.resources) || !Array.isArray(report.firstCause))
    throw new UsageError(`${source} is not a report of tilt-ci: it has no resources`);
  return report as RunResult;
}
