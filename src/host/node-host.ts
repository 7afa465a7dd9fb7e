import { setTimeout as delay } from "node:timers/promises";
import { CancelledError } from "../errors.ts";
import type { Clock, Host } from "./host.ts";
import { createRun, createSpawn } from "./process.ts";
import { steadyNow } from "./steady-clock.ts";

const clock: Clock = {
  now: () => Math.round(steadyNow()),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch {
      throw new CancelledError();
    }
  },
};

/**
 * Files that GitHub's runner reads commands from when a step has ended: environment and PATH of later steps, outputs, state,
 * summary. What a Tiltfile runs does not speak for the step.
 */
const RUNNER_FILES: ReadonlySet<string> = new Set([
  "GITHUB_ENV",
  "GITHUB_PATH",
  "GITHUB_OUTPUT",
  "GITHUB_STATE",
  "GITHUB_STEP_SUMMARY",
]);

/** The real outside. `env` and `cwd` come from the process's entry (src/cli.ts, src/action). */
export function createHost({
  env,
  cwd,
}: {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}): Host {
  const defined = Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !RUNNER_FILES.has(entry[0]),
    ),
  );
  return {
    env: defined,
    cwd,
    platform: process.platform,
    clock,
    run: createRun(defined),
    spawn: createSpawn(defined),
  };
}
