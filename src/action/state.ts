/** What main hands on to post, under these names in the runner's state file. */
export const STATE = {
  /** Main has run: this is post. */
  isPost: "isPost",
  /** The run's id. */
  run: "run",
  /** The report directory, absolute. */
  reports: "reports",
} as const;
