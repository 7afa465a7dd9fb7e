/** One line of `tilt-ci doctor`. */
export interface Check {
  readonly name: string;
  /** `missing` keeps the main job from running; `warning` may make it fail or slow. */
  readonly status: "ok" | "warning" | "missing";
  readonly version?: string;
  readonly detail?: string;
  /** How to get it or mend it. */
  readonly hint?: string;
}
