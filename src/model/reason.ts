/**
 * Why something is not (yet) good: the stable vocabulary of reports, docs/failures.md and decisions.
 * Codes are only ever added.
 */
export const REASON_CODES = [
  "TiltfileError",
  "BuildFailed",
  "PushFailed",
  "ApplyRejected",
  "Unschedulable",
  "ImagePull",
  "InitFailed",
  "ContainerConfig",
  "VolumePending",
  "CrashLoop",
  "OOMKilled",
  "ProbeFailed",
  "PodFailed",
  "JobFailed",
  "NotEstablished",
  "CommandFailed",
  "ServeExited",
  "PortTaken",
  "DependencyNeverStarts",
  "TestFailed",
  "Timeout",
  "Cancelled",
  "Infra",
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** Whether a code is about us or the environment (JUnit `<error>`), not the user's software (`<failure>`). */
export function isInfrastructure(code: ReasonCode): boolean {
  return code === "Infra";
}
