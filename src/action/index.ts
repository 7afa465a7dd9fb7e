// The Action's bundle: the same file serves main and post, told apart by the state that main saved.
import * as core from "@actions/core";
import type { ProcessIo } from "../cli/io.ts";
import { runMain } from "./main.ts";
import { runPost } from "./post.ts";

const IS_POST = "isPost";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const io: ProcessIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener);
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    };
  },
  exitNow: (code) => process.exit(code),
};

async function start(): Promise<void> {
  if (core.getState(IS_POST) !== "") return runPost(io);
  core.saveState(IS_POST, "true");
  process.exitCode = await runMain(io);
}

start().catch((error: unknown) => core.setFailed(error instanceof Error ? error : String(error)));
