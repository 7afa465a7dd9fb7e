/** The room's door: everything that tells of a run. */
export { type Annotation, annotationsOf, workflowCommand } from "./annotations.ts";
export { maskedYaml } from "./applied-yaml.ts";
export { writeAtomically } from "./atomic.ts";
export { type BundleCollector, type BundleIndex, collectDiagnosticsBundle } from "./bundle.ts";
export { type Console, type ConsoleOptions, createConsole } from "./console.ts";
export { createLayout } from "./console-layout.ts";
export { diffReports, formatDiff, type ReportDiff } from "./diff.ts";
export { explain } from "./explain.ts";
export { renderJson } from "./json.ts";
export { renderJunit } from "./junit.ts";
export { type LoadedReport, loadReport } from "./load-report.ts";
export { mergeReports } from "./merge.ts";
export { createScrubber, type Scrubber } from "./scrub.ts";
export type { Secret } from "./secret-forms.ts";
export { MAX_SUMMARY_BYTES, renderSummary } from "./summary.ts";
export {
  createReportWriter,
  exitCodeAfterReports,
  type ReportWriter,
  type WriteProblem,
} from "./writer.ts";
