import type { Policy } from "../engine/index.ts";
import { formatDuration } from "../model/duration.ts";
import type { Settings } from "../model/plan.ts";
import type { RunOptions } from "../run-options.ts";

/**
 * Flags and the Tiltfile's settings come together. A limit given on the command line beats `ci_settings()`, and that
 * is told (tilt ci lets the Tiltfile win without a word); one that was not given yields to it.
 */
export function effectivePolicy(
  options: Pick<RunOptions, "policy" | "timeoutGiven" | "readinessTimeoutGiven">,
  settings: Settings,
): { readonly policy: Policy; readonly notices: readonly string[] } {
  const notices: string[] = [];
  const choose = (
    flag: string,
    given: boolean,
    flagMs: number,
    settingMs: number | undefined,
    setting: string,
  ) => {
    if (settingMs === undefined || settingMs === flagMs) return flagMs;
    if (!given) return settingMs;
    notices.push(
      `${flag} ${formatDuration(flagMs)} is in force, not ci_settings(${setting}="${formatDuration(settingMs)}")`,
    );
    return flagMs;
  };
  const { ci, update } = settings;
  const policy: Policy = {
    ...options.policy,
    timeoutMs: choose(
      "--timeout",
      options.timeoutGiven,
      options.policy.timeoutMs,
      ci.timeoutMs,
      "timeout",
    ),
    readinessTimeoutMs: choose(
      "--readiness-timeout",
      options.readinessTimeoutGiven,
      options.policy.readinessTimeoutMs,
      ci.readinessTimeoutMs,
      "readiness_timeout",
    ),
    gracePeriodMs: ci.gracePeriodMs ?? options.policy.gracePeriodMs,
    maxUpdates: update.maxParallelUpdates ?? options.policy.maxUpdates,
  };
  return { policy, notices };
}
