/** The CI systems whose presentation we know. */
const SYSTEMS: readonly (readonly [name: string, variable: string])[] = [
  ["github", "GITHUB_ACTIONS"],
  ["gitlab", "GITLAB_CI"],
  ["buildkite", "BUILDKITE"],
  ["circleci", "CIRCLECI"],
  ["azure", "TF_BUILD"],
  ["jenkins", "JENKINS_URL"],
];

/** Which CI system we run in: changes how things are shown, never what is done. */
export function detectCi(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return (
    SYSTEMS.find(([, variable]) => env[variable])?.[0] ??
    (env.CI === "true" || env.CI === "1" ? "generic" : undefined)
  );
}
