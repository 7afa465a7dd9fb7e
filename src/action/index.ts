// The Action's bundle: the same file serves main and post, told apart by the state that main saved.
import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { InternalError, messageOf } from "../errors.ts";
import { EXIT } from "../model/result.ts";
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
  onCrash(listener) {
    process.on("uncaughtException", listener);
    return () => process.off("uncaughtException", listener);
  },
  exitNow: (code) => process.exit(code),
};

const isPost = core.getState(STATE.isPost) !== "";

async function start(): Promise<void> {
  if (isPost) return runPost(io);
  core.saveState(STATE.isPost, "true");
  process.exitCode = await runMain(io);
}

function fail(error: unknown): void {
  const reason = messageOf(error);
  // What the job came to is decided by then: cleaning up never changes it.
  if (isPost) core.warning(reason);
  else core.setFailed(reason);
}

// A step that runs out of things to wait for before it has come to its end is no success.
if (!isPost) process.exitCode = EXIT.environment;
process.on("uncaughtException", (error) => {
  if (process.listenerCount("uncaughtException") > 1) return; // a run ends in its own way
  fail(new InternalError(error));
  process.exit(isPost ? EXIT.passed : EXIT.environment);
});
start().catch(fail);
