import { existsSync } from "node:fs";
import { join } from "node:path";
import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { main } from "../cli/main.ts";
import { messageOf } from "../errors.ts";
import { createHost } from "../host/node-host.ts";
import type { ReportedCluster } from "../model/run-result.ts";
import { loadReport } from "../report/index.ts";
import { collectAfterJob } from "./after-job.ts";
import { linesOf, switchOf } from "./inputs.ts";
import { STATE } from "./state.ts";

/**
 * After the job's steps, whatever became of main: collects logs if something failed on the cluster since, and removes
 * all that the run left up. Never fails the job: what cannot be removed is a warning.
 */
export async function runPost(io: ProcessIo): Promise<void> {
  const run = core.getState(STATE.run);
  if (run === "") return; // main was ended before it created anything
  const reports = core.getState(STATE.reports);
  if (switchOf("keep-cluster", (name) => core.getInput(name))) {
    core.info(
      `What run ${run} made stays, as keep-cluster says. Remove it with: tilt-ci down ${run}`,
    );
    return;
  }
  const cluster = clusterOf(run, reports);
  const hasBundle = existsSync(join(reports, "bundle", "index.json"));
  if (cluster && wantsLogs(core.getInput("export-logs"), core.getInput("job-status"), hasBundle))
    await collectLogs(cluster, reports, io);
  const code = await main(["down", run, "--force"], io);
  if (code !== 0) core.warning(`tilt-ci could not remove everything of run ${run}: see above`);
}

async function collectLogs(
  cluster: ReportedCluster,
  reports: string,
  io: ProcessIo,
): Promise<void> {
  const directory = join(reports, "bundle", "after-job");
  const secrets = linesOf(core.getInput("secret-env")).flatMap((name) => {
    const value = io.env[name];
    return value ? [{ label: `env ${name}`, value, origin: "explicit" as const }] : [];
  });
  try {
    const write = (text: string) => void io.stdout.write(text);
    await collectAfterJob(cluster, directory, secrets, createHost(io), write);
    core.info(`Logs of the cluster are in ${directory}`);
  } catch (error) {
    core.warning(`Cannot collect the logs of the cluster: ${messageOf(error)}`);
  }
}

/** The kind cluster of this run, as its report tells it: a run that was killed has written one, too. */
function clusterOf(run: string, reports: string): ReportedCluster | undefined {
  if (!existsSync(join(reports, "report.json"))) return undefined;
  const { result } = loadReport(reports);
  if (result.run.id !== run || !result.cluster || result.cluster.name === null) return undefined;
  return existsSync(result.cluster.kubeconfig) ? result.cluster : undefined;
}

/**
 * Whether post collects the cluster's logs. `on-failure`: main has collected what it failed on itself (`hasBundle`); a
 * later step, a cancel or a kill leaves it to post.
 */
export function wantsLogs(exportLogs: string, jobStatus: string, hasBundle: boolean): boolean {
  if (exportLogs === "always") return true;
  const hasFailed = ["failure", "cancelled"].includes(jobStatus);
  return exportLogs !== "never" && hasFailed && !hasBundle;
}
