import { appendFile, stat } from "node:fs/promises";
import { messageOf } from "../errors.ts";
import type { RunResult } from "../model/run-result.ts";
import {
  annotationsOf,
  MAX_SUMMARY_BYTES,
  renderSummary,
  workflowCommand,
} from "../report/index.ts";
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
    // the limit is the step's: what it has written before counts
    const { size } = await stat(file);
    await appendFile(file, renderSummary(result, { maxBytes: MAX_SUMMARY_BYTES - size }));
  } catch (error) {
    stderr.write(`Cannot write the step summary: ${messageOf(error)}\n`);
  }
}
