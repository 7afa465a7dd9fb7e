import { join } from "node:path";
import type { RunResult } from "../model/run-result.ts";

/** What later steps can ask for, as action.yml lists it. `reports` is the absolute path of the report directory. */
export function outputsOf(result: RunResult, reports: string): Record<string, string> {
  const failed = result.resources.filter(({ status }) => status === "failed" || status === "error");
  const { cluster } = result;
  return {
    result: result.verdict,
    "report-json": join(reports, "report.json"),
    "report-junit": join(reports, "junit.xml"),
    "report-html": join(reports, "report.html"),
    "logs-dir": join(reports, "logs"),
    "failed-resources": JSON.stringify(failed.map(({ name }) => name)),
    "duration-ms": String(result.durationMs),
    phases: JSON.stringify(result.timings),
    images: JSON.stringify(imagesOf(result)),
    kubeconfig: cluster?.stays ? cluster.kubeconfig : "",
    context: cluster?.stays ? cluster.context : "",
    "registry-host": (cluster?.stays && cluster.registryHost) || "",
  };
}

/** The Tiltfile's name of each image that was made → the reference to run it by, with its digest where it was pushed. */
function imagesOf({ images }: RunResult): Record<string, string> {
  return Object.fromEntries(
    images
      .filter(({ status }) => status === "passed")
      .map(({ ref, digest, facts }) => {
        const made = typeof facts.ref === "string" ? facts.ref : ref;
        return [ref, digest === null || made.includes("@") ? made : `${made}@${digest}`];
      }),
  );
}
