import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { main } from "../cli/main.ts";
import { isTrue } from "./inputs.ts";
import { RUN_STATE } from "./main.ts";

/** After the job's steps: removes what main left up. Never fails the job: what cannot be removed is a warning. */
export async function runPost(io: ProcessIo): Promise<void> {
  const run = core.getState(RUN_STATE);
  if (run === "" || isTrue(core.getInput("keep-cluster"))) return;
  const code = await main(["down", run, "--force"], io);
  if (code !== 0) core.warning(`tilt-ci could not remove everything of run ${run}: see above`);
}
