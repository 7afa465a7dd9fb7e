import { existsSync } from "node:fs";
import { resolve } from "node:path";
import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { main } from "../cli/main.ts";
import { defaultTexts } from "../cli/run-flags.ts";
import { createRunId } from "../cluster/index.ts";
import { CancelledError } from "../errors.ts";
import { createHost } from "../host/node-host.ts";
import type { RunResult } from "../model/run-result.ts";
import type { CancelSignal } from "../run/verdict.ts";
import { VERSION } from "../version.ts";
import { environmentForRun } from "./environment.ts";
import { argvOf, checkVersion, switchOf } from "./inputs.ts";
import { masksOf } from "./mask.ts";
import { outputsOf } from "./outputs.ts";
import { STATE } from "./state.ts";
import { kindTool, type Tool } from "./tools/catalogue.ts";
import { provideTools } from "./tools/provide.ts";

/** The Action's main step: runs the CLI on the inputs; the cluster stays up for the steps that follow. */
export async function runMain(io: ProcessIo): Promise<number> {
  const input = (name: string) => core.getInput(name);
  const directory = resolve(io.cwd, input("working-directory") || ".");
  checkVersion(input("version"), VERSION);
  switchOf("keep-cluster", input); // a wrong one is told now, not when the job ends
  const runId = createRunId();
  // Before anything is created: post cleans up after a main that was killed.
  core.saveState(STATE.run, runId);
  core.saveState(STATE.reports, resolve(directory, input("report-dir") || "tilt-ci-report"));
  const argv = argvOf(input, defaultTexts());
  const withKind = (input("cluster") || "kind") === "kind" && input("context") === "";
  const cancelledBy = await bringTools(withKind ? kindTool(input("kind-version")) : undefined, io);
  // PATH has the tools by now
  const runIo = { ...io, env: environmentForRun(io.env) };
  let hasResult = false;
  let refusal = "the log says why";
  const code = await main(argv, {
    ...(cancelledBy ? alreadySignalled(runIo, cancelledBy) : runIo),
    cwd: directory,
    embedding: {
      runId,
      leaveTeardown: true,
      onSecret(value) {
        for (const mask of masksOf(value)) core.setSecret(mask);
      },
      onRefusal(reason) {
        refusal = reason;
      },
      onResult(result, reports) {
        hasResult = true;
        handOn(result, reports);
      },
    },
  });
  if (!hasResult) {
    core.setOutput("result", "error");
    core.setFailed(`tilt-ci could not begin the run: ${refusal}`);
  }
  return code;
}

/** Brings what the runner lacks. Returns the signal that ended it, if one did. */
async function bringTools(
  kind: Tool | undefined,
  io: ProcessIo,
): Promise<CancelSignal | undefined> {
  const cancel = new AbortController();
  let cancelledBy: CancelSignal | undefined;
  const unlisten = io.onSignal((signal) => {
    cancelledBy ??= signal;
    cancel.abort();
  });
  try {
    await provideTools(createHost(io), {
      kind,
      signal: cancel.signal,
      addPath: (path) => core.addPath(path),
      info: (message) => core.info(message),
      warn: (message) => core.warning(message),
    });
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
  } finally {
    unlisten();
  }
  return cancelledBy;
}

/** A run that is cancelled as it begins: it still has its report, its outputs and its exit code. */
function alreadySignalled(io: ProcessIo, signal: CancelSignal): ProcessIo {
  return {
    ...io,
    onSignal(listener) {
      const unlisten = io.onSignal(listener);
      listener(signal);
      return unlisten;
    },
  };
}

/** Outputs, and the cluster's kubeconfig in the environment of later steps. */
function handOn(result: RunResult, reports: string): void {
  for (const [name, value] of Object.entries(outputsOf(result, reports)))
    core.setOutput(name, value);
  const { cluster } = result;
  // A cluster that was there before has its users' environment already.
  if (!cluster?.stays || cluster.name === null || !existsSync(cluster.kubeconfig)) return;
  core.exportVariable("KUBECONFIG", cluster.kubeconfig);
  core.info(
    `The cluster ${cluster.name} stays up for the steps that follow (KUBECONFIG is set); it is removed when the job ends`,
  );
}
