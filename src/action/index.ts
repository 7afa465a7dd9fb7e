// The Action's bundle: the same file serves main and post, told apart by the state that main saved.
import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { runMain } from "./main.ts";
import { runPost } from "./post.ts";
import { STATE } from "./state.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const io: ProcessIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  program: [process.execPath, process.argv[1] ?? ""],
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener);
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    };
  },
  exitNow: (code) => process.exit(code),
};

const isPost = core.getState(STATE.isPost) !== "";

async function start(): Promise<void> {
  if (isPost) return runPost(io);
  core.saveState(STATE.isPost, "true");
  process.exitCode = await runMain(io);
}

start().catch((error: unknown) => {
  const reason = error instanceof Error ? error : String(error);
  // What the job came to is decided by then: cleaning up never changes it.
  if (isPost) core.warning(reason);
  else core.setFailed(reason);
});
