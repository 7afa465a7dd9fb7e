import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { main } from "../cli/main.ts";
import type { RunResult } from "../model/run-result.ts";
import { annotationsOf, loadReport, renderSummary, workflowCommand } from "../report/index.ts";
import { argvOf, isTrue } from "./inputs.ts";

/** State that post reads. */
export const RUN_STATE = "run";

/** The Action's main step: runs the CLI on the inputs, then tells GitHub what came of it. */
export async function runMain(io: ProcessIo): Promise<number> {
  const directory = resolve(io.cwd, core.getInput("working-directory") || ".");
  const argv = argvOf((name) => core.getInput(name));
  const code = await main(argv, { ...io, cwd: directory });
  const reports = resolve(directory, core.getInput("report-dir") || "tilt-ci-report");
  if (existsSync(join(reports, "report.json"))) await publish(reports, io);
  return code;
}

async function publish(reports: string, io: ProcessIo): Promise<void> {
  const loaded = loadReport(reports);
  const { result } = loaded;
  core.saveState(RUN_STATE, result.run.id);
  setOutputs(result, reports);
  if (isTrue(core.getInput("annotations") || "true")) {
    for (const annotation of annotationsOf(result))
      io.stdout.write(`${workflowCommand(annotation)}\n`);
  }
  if (isTrue(core.getInput("summary") || "true"))
    await core.summary.addRaw(renderSummary(result)).write();
}

function setOutputs(result: RunResult, reports: string): void {
  core.setOutput("result", result.verdict);
  core.setOutput("report-json", join(reports, "report.json"));
  core.setOutput("report-junit", join(reports, "junit.xml"));
  core.setOutput("report-html", join(reports, "report.html"));
  core.setOutput("logs-dir", join(reports, "logs"));
  const failed = result.resources.filter(({ status }) => status === "failed" || status === "error");
  core.setOutput("failed-resources", JSON.stringify(failed.map(({ name }) => name)));
  core.setOutput("duration-ms", String(result.durationMs ?? ""));
  core.setOutput("phases", JSON.stringify(result.timings));
  const kubeconfig = keptKubeconfig(reports);
  if (kubeconfig === undefined) return;
  core.setOutput("kubeconfig", kubeconfig);
  core.exportVariable("KUBECONFIG", kubeconfig);
}

/** The kubeconfig of the cluster that stays, as the run has announced it. */
function keptKubeconfig(reports: string): string | undefined {
  const events = readFileSync(join(reports, "events.ndjson"), "utf8");
  const path = /export KUBECONFIG=([^\\\s"]+)/.exec(events)?.[1];
  return path !== undefined && existsSync(path) ? path : undefined;
}
