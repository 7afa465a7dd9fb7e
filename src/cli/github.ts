import { appendFile } from "node:fs/promises";
import { messageOf } from "../errors.ts";
import type { RunResult } from "../model/run-result.ts";
import { annotationsOf, renderSummary, workflowCommand } from "../report/index.ts";
import type { ProcessIo } from "./io.ts";

/** Which of GitHub's places a run is told in, beside the log. */
export interface GithubPresentation {
  readonly annotations: boolean;
  readonly summary: boolean;
}

/** Notes on the Tiltfile's lines and the step's summary. What cannot be written is a line on standard error. */
export async function presentOnGithub(
  result: RunResult,
  { annotations, summary }: GithubPresentation,
  { stdout, stderr, env }: Pick<ProcessIo, "stdout" | "stderr" | "env">,
): Promise<void> {
  if (annotations)
    for (const annotation of annotationsOf(result))
      stdout.write(`${workflowCommand(annotation)}\n`);
  const file = env.GITHUB_STEP_SUMMARY;
  if (!summary || !file) return;
  try {
    await appendFile(file, renderSummary(result));
  } catch (error) {
    stderr.write(`Cannot write the step summary: ${messageOf(error)}\n`);
  }
}
