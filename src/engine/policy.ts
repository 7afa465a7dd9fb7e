/** The choices a user has in how a run is judged. Times in milliseconds, 0 = no limit. */
export interface Policy {
  /** `strict`: rollouts complete, all pods, evidence. `tilt`: exactly as `tilt ci` (newest pod only, no window). */
  readonly semantics: "strict" | "tilt";
  readonly crashPolicy: "settled" | "first" | "deadline";
  /** Stop starting new work at the first failure; else carry on with all that does not need what failed. */
  readonly failFast: boolean;
  /** After the first failure, how long running work may still come to its own verdict. */
  readonly failureWindowMs: number;
  readonly stableForMs: number;
  readonly timeoutMs: number;
  readonly readinessTimeoutMs: number;
  readonly gracePeriodMs: number;
  /**
   * So long after its start a container without a probe may have ended unseen, as the kubelet looks once a second and
   * falls behind on a node that is busy booting. 0: what the API server says is believed at once.
   */
  readonly kubeletLagMs: number;
  /** Running commands and deploys at most. */
  readonly maxUpdates: number;
}

export const DEFAULT_POLICY: Policy = {
  semantics: "strict",
  crashPolicy: "settled",
  failFast: true,
  failureWindowMs: 10_000,
  stableForMs: 0,
  timeoutMs: 30 * 60_000,
  readinessTimeoutMs: 5 * 60_000,
  gracePeriodMs: 0,
  kubeletLagMs: 3_000,
  maxUpdates: 8,
};
