/** The room's door: everything that tells of a run. */
export { createScrubber, type Scrubber } from "./scrub.ts";
export { createReportWriter, exitCodeAfterReports, type ReportWriter } from "./writer.ts";
